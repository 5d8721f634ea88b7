/* The body of the gradient of a depthwise convolution's input; its weights are those of
 * weight_real.h or weight_s8.h, which stands before it, and COLUMNS is that of slide.h. */
#include "depthwise_conv2d_window.h"
#include "depthwise_taps.h"

#define ELEMENT       REAL
#define BIAS          REAL
#define SUM           float
#define FINISH        float
#define LANES         MG_LANES
#define TILE_PIXELS   MG_TILE
#define TILE_LEAST    TILE_PIXELS
#define TILE_CHANNELS MG_TILE

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    return mg_depthwise_backward_window(p, rows, columns);
}

MG_INLINE void tile(int pixels, int channels, const mg_window *v, const QUANT *q,
                    const REAL *const *dy, const WEIGHT *w, const REAL *b, int32_t channel,
                    REAL *const *dx) {
    (void)b;
    mg_sums_f32 sums;
    mg_clear_f32(pixels, channels, sums);
    MG_ROLLED
    for (int32_t m = 0; m < v->run; ++m) {
        const REAL *from[MG_TILE];
        MG_UNROLLED
        for (int i = 0; i < pixels; ++i) {
            from[i] = dy[i] + channel * v->run + m;
        }
        depthwise_taps(pixels, channels, v, from, w + m, q, channel * v->run + m, sums);
    }
    mg_store_f32(pixels, channels, sums, NULL, channel, dx);
}

MG_INLINE void load_lanes(int place, const REAL *x, float *to) {
    mg_load_f32(LANES, place, x, to);
}

static inline float finish_of(const QUANT *q, int32_t channel) {
    return scale_of(q, channel);
}

static inline void finish(float scale, float sum, REAL *dx) {
    *dx = (REAL)(scale * sum);
}

#include "slide.h"
#include "walk.h"

/* Apart from the general walk: both need all registers. */
MG_APART void slid(const mg_conv2d_params *p, const QUANT *q, const REAL *dy, const WEIGHT *w,
                   REAL *dx, mg_grid grid) {
    const slide g = slide_backward(p);
    slide_all(&g, q, dy, w + 8 * p->in_c, NULL, dx, grid);
}

static inline void input_gradient(const mg_conv2d_params *p, const QUANT *q, const REAL *dy,
                                  const WEIGHT *w, REAL *dx, mg_grid grid) {
    if (mg_slides(p, p->out_h, p->out_w, p->in_h, 2 - p->pad_top)) {
        slid(p, q, dy, w, dx, grid);
    } else {
        walk_backward(p, q, dy, w, dx, p->in_c, grid);
    }
}
