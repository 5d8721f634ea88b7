/* The body of the gradient of a convolution's input; its weights are those of weight_real.h or
 * weight_s8.h, which stands before it. */
#include "combine.h"
#include "conv2d_backward_window.h"

#define ELEMENT       REAL
#define BIAS          void
#define TILE_PIXELS   MG_PIXELS
#define TILE_LEAST    (MG_PIXELS / 2 + 1)
#define TILE_CHANNELS MG_TILE

MG_INLINE void tile(int pixels, int channels, const mg_window *v, const QUANT *q,
                    const REAL *const *dy, const WEIGHT *w, const void *b, int32_t channel,
                    REAL *const *dx) {
    (void)b;
    mg_sums_f32 sums;
    mg_clear_f32(pixels, channels, sums);
    const REAL *from[MG_PIXELS] = {dy[0]};
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        from[i] = dy[i];
    }
    const int32_t first = channel / v->depth * v->run;
    int32_t in_row = v->runs;
    MG_ROLLED
    for (int32_t left = v->rows * v->runs; left > 0; --left) {
        combine(pixels, channels, v->run, from, w, v->w_step, q, first, sums);
        if (left == 1) {
            break;
        }
        const int last = --in_row == 0;
        in_row = last ? v->runs : in_row;
        mg_move_f32(pixels, from, last ? v->source_row : v->source_run);
        w += last ? v->w_row : v->w_run;
    }
    mg_store_f32(pixels, channels, sums, NULL, channel, dx);
}

#include "walk.h"
