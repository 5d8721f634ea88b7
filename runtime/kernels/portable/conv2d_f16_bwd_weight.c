/* Convolution, half, gradient of the weights. */
#include "mg_kernels.h"

#include "real_f16.h"

#ifdef MG_HALF
#include "input_real.h"

#include "conv2d_bwd_weight.h"

void mg_conv2d_f16_bwd_weight(const mg_conv2d_params *p, const mg_f16 *x, const mg_f16 *dy,
                              const mg_f16 *gathered, mg_f16 *dw) {
    weight_gradient(p, NULL, x, dy, gathered, dw);
}
#endif
