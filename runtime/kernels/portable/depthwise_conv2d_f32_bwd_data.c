/* Depthwise convolution, float, gradient of the input. */
#include "depthwise_conv2d_window.h"
#include "tile_f32.h"

#define ELEMENT       float
#define BIAS          float
#define QUANT         mg_clamp_f32
#define SUM           float
#define FINISH        int
#define LANES         MG_LANES
#define TILE_PIXELS   MG_TILE
#define TILE_CHANNELS MG_TILE

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    return mg_depthwise_backward_window(p, rows, columns);
}

MG_INLINE void tile(int pixels, int channels, const mg_window *v, const mg_clamp_f32 *q,
                    const float *const *dy, const float *w, const float *b, int32_t channel,
                    float *const *dx) {
    (void)q;
    (void)b;
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

static inline float zero_point_of(const mg_clamp_f32 *q) {
    (void)q;
    return 0.0f;
}

static inline int finish_of(const mg_clamp_f32 *q, int32_t channel) {
    (void)q;
    (void)channel;
    return 0;
}

static inline void finish(int nothing, float sum, float *dx) {
    (void)nothing;
    *dx = sum;
}

#include "slide.h"
#include "walk.h"

void mg_depthwise_conv2d_f32_bwd_data(const mg_conv2d_params *p, const float *dy, const float *w,
                                      float *dx) {
    if (mg_slides(p, p->out_h, p->out_w, p->in_h, 2 - p->pad_top)) {
        const slide g = slide_backward(p);
        slide_all(&g, NULL, dy, w + 8 * p->in_c, NULL, dx);
    } else {
        walk_backward(p, dy, w, dx);
    }
}
