/* Depthwise convolution, half, gradient of the input. */
#include "mg_kernels.h"

#include "real_f16.h"

#ifdef MG_HALF
#define QUANT void
#include "weight_real.h"

#define COLUMNS 3
#include "depthwise_conv2d_bwd_data.h"

void mg_depthwise_conv2d_f16_bwd_data(const mg_conv2d_params *p, const mg_f16 *dy, const mg_f16 *w,
                                      mg_f16 *dx) {
    input_gradient(p, NULL, dy, w, dx, mg_tiles_grid(p->in_h, p->in_c));
}
#endif
