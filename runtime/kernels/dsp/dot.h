/* The register tile of convolutions: sums of products of four columns of int16 with a row of int8.
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

/* The next four products of each column. */
MG_INLINE void mg_dot_word(const mg_pair **x, mg_bytes w, int32_t *sums) {
    mg_pair columns[MG_COLUMNS];
    const mg_pair even = mg_even_bytes(w);
    mg_load_pairs(x, columns);
    MG_UNROLLED
    for (int i = 0; i < MG_COLUMNS; ++i) {
        sums[i] = mg_add_products(sums[i], columns[i], even);
        MG_COMPLETE(sums[i]);
    }
    const mg_pair odd = mg_even_bytes(mg_odd_to_even(w));
    mg_load_pairs(x, columns);
    MG_UNROLLED
    for (int i = 0; i < MG_COLUMNS; ++i) {
        sums[i] = mg_add_products(sums[i], columns[i], odd);
        MG_COMPLETE(sums[i]);
    }
}

/* `start` and n products; columns end with zeros where n is no multiple of four. */
MG_INLINE void mg_dot(int32_t n, const mg_pair *x, const int8_t *w, int32_t start, int32_t *sums) {
    const int8_t *const twos = w + (n & -8);
    MG_UNROLLED
    for (int i = 0; i < MG_COLUMNS; ++i) {
        sums[i] = start;
    }
    MG_ROLLED
    while (w != twos) {
        mg_dot_word(&x, mg_load_word(w), sums);
        mg_dot_word(&x, mg_load_word(w + 4), sums);
        w += 8;
    }
    if (n & 4) {
        mg_dot_word(&x, mg_load_word(w), sums);
        w += 4;
    }
    if (n & 3) {
        mg_bytes last = 0;
        MG_ROLLED
        for (int32_t k = (n & 3) - 1; k >= 0; --k) {
            last = (int32_t)((uint32_t)last << 8 | (uint8_t)w[k]);
        }
        mg_dot_word(&x, last, sums);
    }
}

#endif
