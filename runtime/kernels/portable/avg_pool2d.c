#include "mg_kernels_f16.h"
#include "pool2d.h"

static inline float add_f32(float sum, float x) {
    return sum + x;
}

static inline float mean_f32(const mg_clamp_f32 *q, float sum, int32_t pixels) {
    return mg_limit_f32(sum / (float)pixels, *q);
}

static inline int32_t add_s8(int32_t sum, int8_t x) {
    return sum + x;
}

static inline int8_t mean_s8(const mg_range_s8 *q, int32_t sum, int32_t pixels) {
    const int32_t half = pixels / 2;
    return mg_limit_s8((sum > 0 ? sum + half : sum - half) / pixels, q->low, q->high);
}

MG_POOL2D(mg_avg_pool2d_f32_fwd, float, float, mg_clamp_f32, 0.0f, add_f32, mean_f32)
#ifdef MG_HALF
MG_POOL2D(mg_avg_pool2d_f16_fwd, mg_f16, float, mg_clamp_f32, 0.0f, add_f32, mean_f32)
#endif
MG_POOL2D(mg_avg_pool2d_s8_fwd, int8_t, int32_t, mg_range_s8, 0, add_s8, mean_s8)

#include "real_f32.h"

#include "avg_pool2d.h"

#include "real_f16.h"

#ifdef MG_HALF
#include "avg_pool2d.h"
#endif
