#include "arithmetic.h"

void mg_hard_swish_f32_fwd(const mg_size_params *p, const float *x, float *y) {
    const mg_clamp_f32 gate = {0.0f, 1.0f};
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = x[i] * mg_limit_f32((x[i] + 3.0f) * (1.0f / 6.0f), gate);
    }
}

void mg_hard_swish_f32_bwd_data(const mg_size_params *p, const float *dy, const float *x,
                                float *dx) {
    for (int32_t i = 0; i < p->size; ++i) {
        const float slope = x[i] * (1.0f / 3.0f) + 0.5f;
        dx[i] = x[i] <= -3.0f ? 0.0f : x[i] >= 3.0f ? dy[i] : dy[i] * slope;
    }
}
