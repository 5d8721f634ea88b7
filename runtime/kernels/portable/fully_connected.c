/* Fully connected layer, forward: a 1x1 convolution over an image of one row. */
#include "mg_kernels.h"

static mg_conv2d_params as_conv2d(const mg_fully_connected_params *p) {
    return (mg_conv2d_params){
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
}

void mg_fully_connected_f32_fwd(const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                                const float *x, const float *w, const float *b, float *y) {
    const mg_conv2d_params c = as_conv2d(p);
    mg_conv2d_f32_fwd(&c, q, x, w, b, y);
}
