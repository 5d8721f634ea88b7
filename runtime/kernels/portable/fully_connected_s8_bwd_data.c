/* Fully connected layer, int8 weights, gradient of the input. */
#include "mg_kernels.h"

#include "real_f32.h"

#include "weight_s8.h"

#include "fully_connected_bwd_data.h"

size_t mg_fully_connected_s8_bwd_data_scratch_size(const mg_fully_connected_params *p) {
    return (size_t)p->out * sizeof(float);
}

void mg_fully_connected_s8_bwd_data(void *scratch, const mg_fully_connected_params *p,
                                    const mg_scales *q, const float *dy, const int8_t *w,
                                    float *dx) {
    mg_all_scales(q, scratch);
    input_gradient(p, scratch, dy, w, dx, mg_share(p->in, MG_TILE));
}
