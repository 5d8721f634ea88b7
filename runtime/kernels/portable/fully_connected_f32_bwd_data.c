/* Fully connected layer, float, gradient of the input. */
#include "mg_kernels.h"

#include "real_f32.h"

#define QUANT void
#include "weight_real.h"

#include "fully_connected_bwd_data.h"

void mg_fully_connected_f32_bwd_data(const mg_fully_connected_params *p, const float *dy,
                                     const float *w, float *dx) {
    input_gradient(p, NULL, dy, w, dx, mg_share(p->in, MG_WIDE));
}
