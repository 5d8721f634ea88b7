#include "arithmetic.h"

void mg_clamp_f32_fwd(const mg_size_params *p, const mg_clamp_f32 *q, const float *x, float *y) {
    const mg_clamp_f32 range = *q;
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = mg_limit_f32(x[i], range);
    }
}

void mg_clamp_f32_bwd_data(const mg_size_params *p, const mg_clamp_f32 *q, const float *dy,
                           const float *y, float *dx) {
    const mg_clamp_f32 range = *q;
    for (int32_t i = 0; i < p->size; ++i) {
        dx[i] = y[i] > range.low && y[i] < range.high ? dy[i] : 0.0f;
    }
}

void mg_clamp_s8_bwd_data(const mg_size_params *p, const mg_clamp_s8 *q, const float *dy,
                          const int8_t *y, float *dx) {
    const mg_clamp_s8 range = *q;
    for (int32_t i = 0; i < p->size; ++i) {
        dx[i] = y[i] > range.low && y[i] < range.high ? dy[i] : 0.0f;
    }
}
