/* Sums of products of int16 codes with pairs of factors. */
#include "products_s16.h"
#include "tile.h"

#define STEPS 8 /* of the inner loop that share its counting */

mg_codes_s16 *mg_lay_out_s16(int32_t n, const int16_t *const *from, int32_t step,
                             mg_codes_s16 *to) {
    const int16_t *const a = from[0], *const b = from[1], *const c = from[2], *const d = from[3];
    const int32_t end = n * step;
    MG_ROLLED
    for (int32_t at = 0; at != end; at += step) {
        *to++ = (mg_codes_s16){{a[at], b[at], c[at], d[at]}};
        MG_COMPLETE(to); /* or it would be found anew from `at` */
    }
    return to;
}

/* Two neighbouring values; of one word, where halves of words can be multiplied. */
MG_INLINE void load(const int16_t *from, int32_t *values) {
#ifdef __ARM_FEATURE_DSP
    int32_t word;
    __builtin_memcpy(&word, __builtin_assume_aligned(from, sizeof word), sizeof word);
    values[0] = (int16_t)word;
    values[1] = word >> 16;
#else
    values[0] = from[0];
    values[1] = from[1];
#endif
}

MG_INLINE void add_products(const mg_codes_s16 *x, const mg_factors_s16 *w,
                            int32_t sum[2][MG_CODES_S16]) {
    int32_t factors[2];
    load(w->of, factors);
    MG_UNROLLED
    for (int i = 0; i < MG_CODES_S16; i += 2) {
        int32_t values[2];
        load(x->of + i, values);
        MG_UNROLLED
        for (int j = 0; j < 2; ++j) {
            sum[j][i] += values[0] * factors[j];
            MG_COMPLETE(sum[j][i]);
            sum[j][i + 1] += values[1] * factors[j];
            MG_COMPLETE(sum[j][i + 1]);
        }
        MG_KEEP_ORDER();
    }
}

void mg_sum_products_s16(int32_t n, const mg_codes_s16 *x, const mg_factors_s16 *w, int32_t w_row,
                         int32_t rows, mg_sums_s16 *sums) {
    const mg_codes_s16 *const whole = x + n / STEPS * STEPS, *const end = x + n;
    MG_ROLLED
    for (; rows > 0; --rows, w += w_row, ++sums) {
        int32_t sum[2][MG_CODES_S16] = {{0}};
        const mg_codes_s16 *codes = x;
        const mg_factors_s16 *factors = w;
        MG_ROLLED
        while (codes != whole) {
            MG_UNROLLED
            for (int k = 0; k < STEPS; ++k) {
                add_products(codes + k, factors++, sum);
                MG_COMPLETE(factors);
            }
            codes += STEPS;
            MG_COMPLETE(codes);
        }
        MG_ROLLED
        while (codes != end) {
            add_products(codes++, factors++, sum);
        }
        MG_UNROLLED
        for (int j = 0; j < 2; ++j) {
            MG_UNROLLED
            for (int i = 0; i < MG_CODES_S16; ++i) {
                (*sums)[j][i] = sum[j][i];
            }
        }
    }
}
