#include "elementwise.h"
#include "mg_kernels_f16.h"

static inline float sub_f32(const mg_clamp_f32 *q, float a, float b) {
    return mg_limit_f32(a - b, *q);
}

MG_ELEMENTWISE(mg_sub_f32_fwd, float, mg_clamp_f32, sub_f32)
#ifdef MG_HALF
MG_ELEMENTWISE(mg_sub_f16_fwd, mg_f16, mg_clamp_f32, sub_f32)
#endif
