/* Convolution, float, forward, of the type of real_f32.h or real_f16.h, which stands before it. */
#include "conv2d_window.h"
#include "mg_cores.h"
#include "tile_f32.h"

#define ELEMENT       REAL
#define WEIGHT        REAL
#define BIAS          REAL
#define QUANT         mg_clamp_f32
#define TILE_PIXELS   MG_PIXELS
#define TILE_LEAST    (MG_PIXELS / 2 + 1)
#define TILE_CHANNELS MG_TILE

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    const int32_t products = p->kernel_h * p->kernel_w * (p->in_c / p->groups);
    return mg_conv2d_window(p, rows, columns, products, 1);
}

MG_INLINE void tile(int pixels, int channels, const mg_window *v, const mg_clamp_f32 *q,
                    const REAL *const *x, const REAL *w, const REAL *b, int32_t channel,
                    REAL *const *y) {
    mg_sums_f32 sums;
    mg_start_f32(pixels, channels, b, channel, sums);
    const REAL *from[MG_PIXELS], *weights[MG_TILE];
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        from[i] = x[i];
    }
    MG_UNROLLED
    for (int j = 0; j < channels; ++j) {
        weights[j] = w + j * v->w_channel;
    }
    int32_t in_row = v->runs;
    MG_ROLLED
    for (int32_t left = v->rows * v->runs; left > 0; --left) {
        mg_dot_f32(pixels, channels, v->run, from, weights, sums);
        if (left == 1) {
            break;
        }
        const int last = --in_row == 0;
        in_row = last ? v->runs : in_row;
        mg_move_f32(pixels, from, last ? v->source_row : v->source_run);
        mg_move_f32(channels, weights, last ? v->w_row : v->w_run);
    }
    mg_store_f32(pixels, channels, sums, q, channel, y);
}

#include "walk.h"

void KERNEL(conv2d, fwd)(const mg_conv2d_params *p, const mg_clamp_f32 *q, const REAL *x,
                         const REAL *w, const REAL *b, REAL *y) {
    walk_forward(p, mg_limits_f32(*q) ? q : NULL, x, w, b, y, p->out_c,
                 mg_tiles_grid(p->out_h, p->out_c));
}
