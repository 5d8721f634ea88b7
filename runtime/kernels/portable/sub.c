#include "elementwise.h"
#include "mg_kernels_f16.h"

static inline float sub_f32(const mg_clamp_f32 *q, float a, float b) {
    return mg_limit_f32(a - b, *q);
}

MG_INLINE int8_t sub_s8(const mg_sum_s8 *q, int8_t a, int8_t b) {
    const int32_t left = mg_fine(a - q->a_zero_point, q->a_multiplier, q->a_shift);
    const int32_t right = mg_fine(b - q->b_zero_point, q->b_multiplier, q->b_shift);
    return mg_sum_code(q, left - right);
}

MG_ELEMENTWISE(mg_sub_f32_fwd, float, mg_clamp_f32, sub_f32)
MG_ELEMENTWISE(mg_sub_f16_fwd, mg_f16, mg_clamp_f32, sub_f32)
MG_ELEMENTWISE(mg_sub_s8_fwd, int8_t, mg_sum_s8, sub_s8)
