/* Depthwise convolution, int8 weights, gradient of the input. */
#include "mg_kernels.h"

#include "real_f32.h"

#include "weight_s8.h"

#define COLUMNS 1
#include "depthwise_conv2d_bwd_data.h"

size_t mg_depthwise_conv2d_s8_bwd_data_scratch_size(const mg_conv2d_params *p) {
    return (size_t)p->out_c * sizeof(float);
}

void mg_depthwise_conv2d_s8_bwd_data(void *scratch, const mg_conv2d_params *p, const mg_scales *q,
                                     const float *dy, const int8_t *w, float *dx) {
    mg_all_scales(q, scratch);
    input_gradient(p, scratch, dy, w, dx, mg_tiles_grid(p->in_h, p->in_c));
}
