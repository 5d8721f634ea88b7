#include "mg_kernels_f16.h"

void mg_cast_f32_fwd(const mg_size_params *p, const float *x, mg_f16 *y) {
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = (mg_f16)x[i];
    }
}

void mg_cast_f16_fwd(const mg_size_params *p, const mg_f16 *x, float *y) {
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = (float)x[i];
    }
}
