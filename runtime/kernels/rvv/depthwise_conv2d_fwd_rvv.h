/* The body of depthwise convolution, float, forward, where a channel has one of the output. */
#include "depthwise_taps.h"

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    return mg_depthwise_forward_window(p, rows, columns);
}

#include "walk.h"

void KERNEL(depthwise_conv2d, fwd_rvv)(const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                       const REAL *x, const REAL *w, const REAL *b, REAL *y) {
    walk_forward(p, q, x, w, b, y);
}
