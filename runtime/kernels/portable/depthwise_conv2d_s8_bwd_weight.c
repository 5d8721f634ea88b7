/* Depthwise convolution, int8 input, gradient of the weights. */
#include "mg_kernels.h"

#include "real_f32.h"

#include "input_s8.h"

#include "depthwise_conv2d_bwd_weight.h"

void mg_depthwise_conv2d_s8_bwd_weight(const mg_conv2d_params *p, const mg_quantize_s8 *q,
                                       const int8_t *x, const float *dy, const float *gathered,
                                       float *dw) {
    weight_gradient(p, q, x, dy, gathered, dw);
}
