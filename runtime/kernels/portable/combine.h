/* Sums of gradients times the weights of their output channels.
 *
 * Before it is included, WEIGHT and QUANT name types and scale_of() is defined, as by
 * weight_real.h or weight_s8.h.
 */
#include "tile_f32.h"

/* Of `run` output channels, to which a and b move on. */
MG_INLINE void combine_step(int rows, int columns, int run, const REAL **a, const WEIGHT **b,
                            int32_t b_step, const QUANT *q, int32_t channel, mg_sums_f32 sums) {
    float left[MG_PIXELS][MG_RUN_F32], right[MG_TILE];
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        mg_take_f32(run, i, &a[i], left[i]);
    }
    MG_UNROLLED
    for (int k = 0; k < run; ++k) {
        const float scale = scale_of(q, channel + k);
        MG_UNROLLED
        for (int first = 0; first < columns; first += MG_TILE) {
            const int count = columns < MG_TILE ? columns : MG_TILE;
            load_weights(count, 4 - first / MG_TILE % 2 * 2, *b + first, right);
            MG_UNROLLED
            for (int i = 0; i < rows; ++i) {
                const float factor = scale * left[i][k];
                MG_UNROLLED
                for (int j = 0; j < count; ++j) {
                    sums[i][first + j] += factor * right[j];
                }
            }
        }
        *b += b_step;
        MG_COMPLETE(*b); /* or each step would have a pointer of its own */
    }
    MG_KEEP_ORDER();
}

/* sums[i][j] += sum over k < n of a[i][k] * b[k * b_step + j], scaled as output channel
 * `channel` + k is; a moves on by n */
MG_INLINE void combine(int rows, int columns, int32_t n, const REAL **a, const WEIGHT *b,
                       int32_t b_step, const QUANT *q, int32_t channel, mg_sums_f32 sums) {
    const REAL *const end = a[0] + n;
    const int32_t steps = columns == MG_WIDE ? 2 : MG_UNROLL;
    MG_ROLLED
    for (const REAL *const last = end - n % steps; a[0] != last;) {
        MG_UNROLLED
        for (int32_t k = 0; k < steps; k += MG_RUN_F32) {
            combine_step(rows, columns, MG_RUN_F32, a, &b, b_step, q, channel + k, sums);
        }
        mg_settle_f32(rows, a);
        channel += steps;
    }
    MG_ROLLED
    while (a[0] != end) {
        combine_step(rows, columns, 1, a, &b, b_step, q, channel++, sums);
    }
}
