/* Fully connected layer, half, gradient of the input. */
#include "mg_kernels.h"

#include "real_f16.h"

#ifdef MG_HALF
#define QUANT void
#include "weight_real.h"

#include "fully_connected_bwd_data.h"

void mg_fully_connected_f16_bwd_data(const mg_fully_connected_params *p, const mg_f16 *dy,
                                     const mg_f16 *w, mg_f16 *dx) {
    input_gradient(p, NULL, dy, w, dx, mg_share(p->in, MG_WIDE));
}
#endif
