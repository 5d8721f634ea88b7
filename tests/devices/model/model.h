#ifndef MODEL_H
#define MODEL_H

#include "mcugrad.h"

#define MG_ARENA_BYTES     192
#define MG_ARENA_BLOCKS(X) X(0, MG_ARENA_BYTES)
#define MG_USED_BYTES      120 /* what lies behind is for tests to watch */
typedef float mg_prediction_element;
#define MG_PREDICTION_SIZE 3

#endif
