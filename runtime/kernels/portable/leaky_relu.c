#include "mg_kernels.h"

void mg_leaky_relu_f32_fwd(const mg_leaky_relu_params *p, const float *x, float *y) {
    const float alpha = p->alpha;
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = x[i] > 0.0f ? x[i] : x[i] * alpha;
    }
}

void mg_leaky_relu_f32_bwd_data(const mg_leaky_relu_params *p, const float *dy, const float *x,
                                float *dx) {
    const float alpha = p->alpha;
    for (int32_t i = 0; i < p->size; ++i) {
        dx[i] = x[i] > 0.0f ? dy[i] : dy[i] * alpha;
    }
}
