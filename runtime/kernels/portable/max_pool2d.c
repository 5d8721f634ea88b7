#include "mg_kernels_f16.h"
#include "pool2d.h"

/* A NaN is greater than all else, so that it shows in the loss; the first one stays. */
static inline int exceeds(float x, float greatest) {
    return x > greatest || (x != x && greatest == greatest);
}

static inline float greater_f32(float greatest, float x) {
    return exceeds(x, greatest) ? x : greatest;
}

static inline float limit_f32(const mg_clamp_f32 *q, float x, int32_t pixels) {
    (void)pixels;
    return mg_limit_f32(x, *q);
}

static inline int32_t greater_s8(int32_t greatest, int8_t x) {
    return mg_max(greatest, x);
}

static inline int8_t limit_s8(const mg_range_s8 *q, int32_t x, int32_t pixels) {
    (void)pixels;
    return mg_limit_s8(x, q->low, q->high);
}

MG_POOL2D(mg_max_pool2d_f32_fwd, float, float, mg_clamp_f32, -__builtin_inff(), greater_f32,
          limit_f32)
#ifdef MG_HALF
MG_POOL2D(mg_max_pool2d_f16_fwd, mg_f16, float, mg_clamp_f32, -__builtin_inff(), greater_f32,
          limit_f32)
#endif
MG_POOL2D(mg_max_pool2d_s8_fwd, int8_t, int32_t, mg_range_s8, -128, greater_s8, limit_s8)

#include "real_f32.h"

#include "max_pool2d.h"

#include "real_f16.h"

#ifdef MG_HALF
#include "max_pool2d.h"
#endif
