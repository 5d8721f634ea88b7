/* The body of the gradient of a float depthwise convolution's input, where a channel has one of
 * the output. */
#include "layer_real.h"

#include "depthwise_taps.h"

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    return mg_depthwise_backward_window(p, rows, columns);
}

#include "walk.h"

void KERNEL(depthwise_conv2d, bwd_data_rvv)(const mg_conv2d_params *p, const REAL *dy,
                                            const REAL *w, REAL *dx) {
    walk_backward(p, NULL, dy, w, dx, p->in_c, (mg_grid){0});
}
