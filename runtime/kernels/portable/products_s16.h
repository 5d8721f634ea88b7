/* Sums of products of int16 codes, of a few positions or channels side by side, with pairs of
 * factors, which lie so that a word has two of them where halves of words can be multiplied. */
#ifndef MG_PRODUCTS_S16_H
#define MG_PRODUCTS_S16_H

#include <stdint.h>

#define MG_CODES_S16 4 /* whose sums with two factors the registers hold */

typedef struct {
    _Alignas(int32_t) int16_t of[MG_CODES_S16];
} mg_codes_s16;

typedef struct {
    _Alignas(int32_t) int16_t of[2];
} mg_factors_s16;

typedef int32_t mg_sums_s16[2][MG_CODES_S16];

/* n codes from each of `from` on, `step` from one to the next; gives what lies behind the last. */
mg_codes_s16 *mg_lay_out_s16(int32_t n, const int16_t *const *from, int32_t step, mg_codes_s16 *to);

/* The sums of n codes with `rows` rows of n factors, w_row from one to the next. */
void mg_sum_products_s16(int32_t n, const mg_codes_s16 *x, const mg_factors_s16 *w, int32_t w_row,
                         int32_t rows, mg_sums_s16 *sums);

#endif
