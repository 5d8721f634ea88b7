/* Convolution, float, gradient of the input. */
#include "mg_cores.h"
#include "mg_kernels.h"

#include "real_f32.h"

#define QUANT void
#include "weight_real.h"

#include "conv2d_bwd_data.h"

void mg_conv2d_f32_bwd_data(const mg_conv2d_params *p, const float *dy, const float *w, float *dx) {
    walk_backward(p, NULL, dy, w, dx, p->in_c, mg_tiles_grid(p->in_h, p->in_c));
}
