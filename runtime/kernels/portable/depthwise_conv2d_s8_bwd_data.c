/* Depthwise convolution, int8 weights, gradient of the input. */
#include "mg_kernels.h"

#include "weight_s8.h"

#include "depthwise_conv2d_bwd_data.h"

void mg_depthwise_conv2d_s8_bwd_data(const mg_conv2d_params *p, const mg_scales *q, const float *dy,
                                     const int8_t *w, float *dx) {
    input_gradient(p, q, dy, w, dx);
}
