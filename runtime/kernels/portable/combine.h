/* Sums of gradients times the weights of their output channels.
 *
 * Before it is included, WEIGHT and QUANT name types and scale_of() is defined, as by
 * weight_real.h or weight_s8.h.
 */
#include "tile_f32.h"

MG_INLINE void combine_step(int rows, int columns, const REAL *const *a, const WEIGHT *b, int32_t k,
                            const QUANT *q, int32_t channel, mg_sums_f32 sums) {
    const float scale = scale_of(q, channel + k);
    float scaled[MG_TILE];
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        scaled[i] = scale * (float)a[i][k];
    }
    MG_UNROLLED
    for (int j = 0; j < columns; ++j) {
        const float factor = (float)b[j];
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            sums[i][j] += scaled[i] * factor;
        }
    }
    MG_KEEP_ORDER();
}

/* sums[i][j] += sum over k < n of a[i][k] * b[k * b_step + j], scaled as output channel
 * `channel` + k is; a moves on by n */
MG_INLINE void combine(int rows, int columns, int32_t n, const REAL **a, const WEIGHT *b,
                       int32_t b_step, const QUANT *q, int32_t channel, mg_sums_f32 sums) {
    const REAL *const end = a[0] + n;
    MG_ROLLED
    for (const REAL *const last = end - n % MG_UNROLL; a[0] != last;) {
        MG_UNROLLED
        for (int32_t k = 0; k < MG_UNROLL; ++k) {
            combine_step(rows, columns, a, b, k, q, channel, sums);
            b += b_step;
            MG_COMPLETE(b); /* or each step would have a pointer of its own */
        }
        channel += MG_UNROLL;
        mg_move_f32(rows, a, MG_UNROLL);
    }
    MG_ROLLED
    while (a[0] != end) {
        combine_step(rows, columns, a, b, 0, q, channel++, sums);
        b += b_step;
        mg_move_f32(rows, a, 1);
    }
}
