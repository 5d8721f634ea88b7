/* Depthwise convolution, float, gradient of the input. */
#include "depthwise_conv2d_window.h"
#include "slide_f32.h"
#include "tile_f32.h"

#define ELEMENT       float
#define BIAS          void
#define QUANT         mg_clamp_f32
#define TILE_PIXELS   MG_TILE
#define TILE_CHANNELS MG_TILE

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    return mg_depthwise_backward_window(p, rows, columns);
}

/* Input channels; those of a tile are neighbours in dy only where the multiplier is 1. */
MG_INLINE void tile_part(int pixels, int channels, const mg_window *v, const float *const *dy,
                         const float *w, int32_t channel, float *const *dx) {
    mg_sums_f32 sums;
    mg_clear_f32(pixels, channels, sums);
    for (int32_t m = 0; m < v->run; ++m) {
        const float *from[MG_TILE];
        MG_UNROLLED
        for (int i = 0; i < pixels; ++i) {
            from[i] = dy[i] + channel * v->run + m;
        }
        mg_depthwise_f32(pixels, channels, v, from, w + m, sums);
    }
    mg_store_f32(pixels, channels, sums, NULL, channel, dx);
}

MG_INLINE void tile(int pixels, int channels, const mg_window *v, const mg_clamp_f32 *q,
                    const float *const *dy, const float *w, const void *b, int32_t channel,
                    float *const *dx) {
    (void)q;
    (void)b;
    if (v->multiplier == 1) {
        tile_part(pixels, channels, v, dy, w, channel, dx);
    } else {
        for (int32_t j = 0; j < channels; ++j) {
            tile_part(pixels, 1, v, dy, w + j * v->w_channel, channel + j, dx);
        }
    }
}

#include "walk.h"

void mg_depthwise_conv2d_f32_bwd_data(const mg_conv2d_params *p, const float *dy, const float *w,
                                      float *dx) {
    if (!mg_slides(p)) {
        walk_backward(p, dy, w, dx);
        return;
    }
    const mg_slide g = {
        .source_h = p->out_h,
        .source_w = p->out_w,
        .result_h = p->in_h,
        .result_w = p->in_w,
        .channels = p->in_c,
        .pad_top = 2 - p->pad_top,
        .pad_left = 2 - p->pad_left,
        .w_row = -3 * p->in_c,
        .w_column = -p->in_c,
    };
    mg_slide_f32(&g, NULL, dy, w + 8 * p->in_c, NULL, dx);
}
