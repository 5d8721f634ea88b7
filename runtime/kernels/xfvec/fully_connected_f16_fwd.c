/* Fully connected layers in half precision: correlations of one tap, with an even number of
 * inputs, so that nothing is laid out anew. */
#include "correlate.h"

void mg_fully_connected_f16_fwd_xfvec(const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                                      const mg_f16 *x, const mg_f16 *w, const mg_f16 *b,
                                      mg_f16 *y) {
    const mg_conv2d_params tap = {
        .in_h = 1,
        .in_w = p->rows,
        .in_c = p->in,
        .out_h = 1,
        .out_w = p->rows,
        .out_c = p->out,
        .groups = 1,
        .kernel_h = 1,
        .kernel_w = 1,
        .stride_h = 1,
        .stride_w = 1,
        .dilation_h = 1,
        .dilation_w = 1,
    };
    const mg_spread to = {y, p->rows * p->out, p->out};
    mg_correlate(&tap, q, NULL, x, w, b, &to);
}
