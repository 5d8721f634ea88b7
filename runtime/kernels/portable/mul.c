#include "elementwise.h"
#include "mg_kernels_f16.h"

static inline float mul_f32(const mg_clamp_f32 *q, float a, float b) {
    return mg_limit_f32(a * b, *q);
}

static inline int8_t mul_s8(const mg_mul_s8 *q, int8_t a, int8_t b) {
    const int32_t product = (a - q->a_zero_point) * (b - q->b_zero_point);
    const int32_t y = mg_multiply_quantized(product, q->multiplier, q->shift) + q->y_zero_point;
    return mg_limit_s8(y, q->low, q->high);
}

MG_ELEMENTWISE(mg_mul_f32_fwd, float, mg_clamp_f32, mul_f32)
#ifdef MG_HALF
MG_ELEMENTWISE(mg_mul_f16_fwd, mg_f16, mg_clamp_f32, mul_f32)
#endif
MG_ELEMENTWISE(mg_mul_s8_fwd, int8_t, mg_mul_s8, mul_s8)
