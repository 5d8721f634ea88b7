/* The body of depthwise convolution, forward, where a channel has one of the output.
 *
 * Before it is included, REAL and its vectors are there, as by rvv_f16.h, and what a layer makes of
 * operands, as by layer_real.h. */
#include "depthwise_taps.h"

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    return mg_depthwise_forward_window(p, rows, columns);
}

#include "walk.h"

void KERNEL(depthwise_conv2d, fwd_rvv)(const mg_conv2d_params *p, const QUANT *q, const REAL *x,
                                       const REAL *w, const BIAS *b, REAL *y) {
    walk_forward(p, q, x, w, b, y, p->out_c, (mg_grid){0});
}
