/* Bytes turned, so that what is summed over lies side by side. */
#ifndef MG_TURN_H
#define MG_TURN_H

#include "dsp.h"

/* to[c][r] = from[r][c]; from_step and to_step: from row to row of each. */
void mg_turn(int32_t rows, int32_t columns, const int8_t *from, int32_t from_step, int8_t *to,
             int32_t to_step);

#endif
