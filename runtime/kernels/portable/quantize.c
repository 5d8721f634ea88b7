#include "arithmetic.h"

/* To nearest, halves away from zero. The range is narrowed first, in which a fraction is exact;
 * a NaN becomes the highest code. */
static inline int32_t round_half_away(float x) {
    const float near = !(x < 512.0f) ? 512.0f : x < -512.0f ? -512.0f : x;
    const int32_t whole = (int32_t)near;
    const float fraction = near - (float)whole;
    return whole + (fraction >= 0.5f) - (fraction <= -0.5f);
}

void mg_quantize_f32_fwd(const mg_size_params *p, const mg_quantize_s8 *q, const float *x,
                         int8_t *y) {
    const mg_quantize_s8 quant = *q;
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = mg_limit_s8(round_half_away(x[i] / quant.scale) + quant.zero_point, -128, 127);
    }
}
