/* Depthwise convolution, half, forward. */
#include "depthwise_f16.h"

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    return mg_depthwise_forward_window(p, rows, columns);
}

#include "walk.h"

void mg_depthwise_conv2d_f16_fwd_mve(const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                     const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y) {
    const mg_range_f16 range = mg_range_of(*q);
    const mg_range_f16 *const limits = mg_limits_f32(*q) ? &range : NULL;
    const slide g = slide_forward(p);
    if (mg_slides(p, p->in_h, p->in_w, p->out_h, p->pad_top) && sweeps(&g)) {
        sweep_all(&g, limits, x, w, b, y);
    } else {
        walk_forward(p, limits, x, w, b, y, p->out_c, (mg_grid){0});
    }
}
