/* Depthwise convolution, float, gradient of the weights. */
#include "mg_kernels.h"

#include "real_f32.h"

#include "input_real.h"

#include "depthwise_conv2d_bwd_weight.h"

void mg_depthwise_conv2d_f32_bwd_weight(const mg_conv2d_params *p, const float *x, const float *dy,
                                        const float *gathered, float *dw) {
    weight_gradient(p, NULL, x, dy, gathered, dw);
}
