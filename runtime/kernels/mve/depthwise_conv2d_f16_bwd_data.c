/* The gradient of a half depthwise convolution's input. */
#include "depthwise_f16.h"

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    return mg_depthwise_backward_window(p, rows, columns);
}

#include "walk.h"

void mg_depthwise_conv2d_f16_bwd_data_mve(const mg_conv2d_params *p, const mg_f16 *dy,
                                          const mg_f16 *w, mg_f16 *dx) {
    const slide g = slide_backward(p);
    if (mg_slides(p, p->out_h, p->out_w, p->in_h, 2 - p->pad_top) && sweeps(&g)) {
        sweep_all(&g, NULL, dy, w + 8 * p->in_c, NULL, dx);
    } else {
        walk_backward(p, NULL, dy, w, dx, p->in_c, (mg_grid){0});
    }
}
