/* Sums of products of a depthwise window, each channel with its own weights.
 *
 * Before it is included, WEIGHT and QUANT name types and scale_of() is defined, as by
 * weight_real.h or weight_s8.h.
 */
#include "tile_f32.h"

/* sums[i][j] += sum over the taps of a[i][tap + j] * w[tap + j], scaled as output
 * channel `channel` + j is */
MG_INLINE void depthwise_taps(int rows, int columns, const mg_window *v, const REAL *const *a0,
                              const WEIGHT *w, const QUANT *q, int32_t channel, mg_sums_f32 sums) {
    const REAL *a[MG_TILE];
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        a[i] = a0[i];
    }
    int32_t in_row = v->runs;
    MG_ROLLED
    for (int32_t left = v->rows * v->runs; left > 0; --left) {
        float factor[MG_TILE];
        load_weights(columns, 0, w, factor);
        MG_UNROLLED
        for (int j = 0; j < columns; ++j) {
            factor[j] *= scale_of(q, channel + j);
        }
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            MG_UNROLLED
            for (int j = 0; j < columns; ++j) {
                sums[i][j] += (float)a[i][j] * factor[j];
            }
        }
        const int last = --in_row == 0;
        in_row = last ? v->runs : in_row;
        mg_move_f32(rows, a, last ? v->source_row : v->source_run);
        w += last ? v->w_row : v->w_run;
    }
}
