/* Convolution, int8 weights, gradient of the input: the float one, of a few input channels at a
 * time, whose weights are made real first. */
#include "part_s8.h"

#include "real_f32.h"

#define QUANT void
#include "weight_real.h"

#include "conv2d_bwd_data.h"

size_t mg_conv2d_s8_bwd_data_scratch_size(const mg_conv2d_params *p) {
    return (size_t)(p->out_c * (p->kernel_h * p->kernel_w * PART + 1)) * sizeof(float);
}

void mg_conv2d_s8_bwd_data(void *scratch, const mg_conv2d_params *p, const mg_scales *q,
                           const float *dy, const int8_t *w, float *dx) {
    const int32_t depth = p->in_c / p->groups, taps = p->kernel_h * p->kernel_w;
    float *const scales = scratch, *const real = scales + p->out_c;
    mg_all_scales(q, scales);
    for (int32_t channel = 0; channel < depth; channel += PART) {
        const int32_t width = mg_min(depth - channel, PART);
        mg_conv2d_params part = *p;
        part.in_c = width * p->groups;
        if (width == PART) {
            dequantize(PART, taps, depth, p->out_c, scales, w + channel, real);
        } else {
            dequantize(width, taps, depth, p->out_c, scales, w + channel, real);
        }
        walk_backward(&part, NULL, dy, real, dx + channel, p->in_c, (mg_grid){1});
    }
}
