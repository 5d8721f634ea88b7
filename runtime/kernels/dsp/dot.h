/* Sums of products of four columns of int16 with rows of int8.
 *
 * Columns lie side by side, four numbers of each together: the first and third of every column as
 * pairs, then the second and fourth, as the bytes of a word of weights are widened.
 */
#ifndef MG_DOT_H
#define MG_DOT_H

#include "dsp.h"

#define MG_COLUMNS 4 /* whose sums and numbers the registers hold */

/* Numbers of a column with those that fill up the last word of weights. */
static inline int32_t mg_filled(int32_t n) {
    return (n + 3) & -4;
}

/* sums[r][i]: the n products of row r, w_row bytes behind the one before, with column i. Columns
 * end with zeros where n is no multiple of four. */
void mg_dot_rows(int32_t n, const mg_pair *columns, const int8_t *w, int32_t w_row, int32_t rows,
                 int32_t *sums);

#endif
