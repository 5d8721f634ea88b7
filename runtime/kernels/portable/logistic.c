#include "mg_kernels.h"

void mg_logistic_f32_fwd(const mg_size_params *p, const float *x, float *y) {
    for (int32_t i = 0; i < p->size; ++i) {
        /* Of the negative magnitude, so that the exponential cannot overflow. */
        const float small = __builtin_expf(-__builtin_fabsf(x[i]));
        y[i] = (x[i] < 0.0f ? small : 1.0f) / (1.0f + small);
    }
}

void mg_logistic_f32_bwd_data(const mg_size_params *p, const float *dy, const float *y, float *dx) {
    for (int32_t i = 0; i < p->size; ++i) {
        dx[i] = dy[i] * y[i] * (1.0f - y[i]);
    }
}
