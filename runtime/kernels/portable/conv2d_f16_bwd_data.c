/* Convolution, half, gradient of the input. */
#include "mg_kernels.h"

#include "real_f16.h"

#ifdef MG_HALF
#define QUANT void
#include "weight_real.h"

#include "conv2d_bwd_data.h"

void mg_conv2d_f16_bwd_data(const mg_conv2d_params *p, const mg_f16 *dy, const mg_f16 *w,
                            mg_f16 *dx) {
    walk_backward(p, NULL, dy, w, dx, p->in_c, mg_tiles_grid(p->in_h, p->in_c));
}
#endif
