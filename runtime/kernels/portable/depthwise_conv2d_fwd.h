/* Depthwise convolution, float, forward, of the type of real_f32.h or real_f16.h, which stands
 * before it. */
#include "depthwise_conv2d_window.h"
#include "tile_f32.h"

#define ELEMENT       REAL
#define BIAS          REAL
#define QUANT         mg_clamp_f32
#define SUM           float
#define FINISH        const mg_clamp_f32 *
#define LANES         MG_LANES
#define COLUMNS       3
#define TILE_PIXELS   MG_TILE
#define TILE_LEAST    TILE_PIXELS
#define TILE_CHANNELS MG_TILE

#include "weight_real.h"

#include "depthwise_taps.h"

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    return mg_depthwise_forward_window(p, rows, columns);
}

MG_INLINE void tile(int pixels, int channels, const mg_window *v, const mg_clamp_f32 *q,
                    const REAL *const *x, const REAL *w, const REAL *b, int32_t channel,
                    REAL *const *y) {
    mg_sums_f32 sums;
    const REAL *from[MG_TILE];
    mg_start_f32(pixels, channels, b, channel, sums);
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        from[i] = x[i] + channel / v->multiplier;
    }
    depthwise_taps(pixels, channels, v, from, w, q, channel, sums);
    mg_store_f32(pixels, channels, sums, q, channel, y);
}

MG_INLINE void load_lanes(int place, const REAL *x, float *to) {
    mg_load_f32(LANES, place, x, to);
}

static inline const mg_clamp_f32 *finish_of(const mg_clamp_f32 *q, int32_t channel) {
    (void)channel;
    return q;
}

static inline void finish(const mg_clamp_f32 *range, float sum, REAL *y) {
    *y = (REAL)(range == NULL ? sum : mg_limit_f32(sum, *range));
}

#include "slide.h"
#include "walk.h"

void KERNEL(depthwise_conv2d, fwd)(const mg_conv2d_params *p, const mg_clamp_f32 *q, const REAL *x,
                                   const REAL *w, const REAL *b, REAL *y) {
    const mg_clamp_f32 *const limits = mg_limits_f32(*q) ? q : NULL;
    const mg_grid grid = mg_tiles_grid(p->out_h, p->out_c);
    if (!mg_slides(p, p->in_h, p->in_w, p->out_h, p->pad_top)) {
        walk_forward(p, limits, x, w, b, y, p->out_c, grid);
        return;
    }
    const slide g = slide_forward(p);
    if (limits != NULL) {
        slide_all(&g, limits, x, w, b, y, grid);
    } else {
        slide_all(&g, NULL, x, w, b, y, grid);
    }
}
