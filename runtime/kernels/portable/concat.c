#include "mg_kernels_f16.h"

#define OPERAND(x) (const uint8_t *)(x)

static void concat(const mg_concat_params *p, const uint8_t *const *x, uint8_t *y) {
    for (int32_t i = 0; i < p->outer; ++i) {
        for (int32_t k = 0; k < p->count; ++k) {
            const int32_t bytes = p->block_bytes[k];
            __builtin_memcpy(y, x[k] + i * bytes, (size_t)bytes);
            y += bytes;
        }
    }
}

void mg_concat_s8_fwd(const mg_concat_params *p, const int8_t *x0, const int8_t *x1,
                      const int8_t *x2, const int8_t *x3, const int8_t *x4, const int8_t *x5,
                      const int8_t *x6, const int8_t *x7, int8_t *y) {
    const uint8_t *const x[] = {OPERAND(x0), OPERAND(x1), OPERAND(x2), OPERAND(x3),
                                OPERAND(x4), OPERAND(x5), OPERAND(x6), OPERAND(x7)};
    concat(p, x, (uint8_t *)y);
}

void mg_concat_f32_fwd(const mg_concat_params *p, const float *x0, const float *x1, const float *x2,
                       const float *x3, const float *x4, const float *x5, const float *x6,
                       const float *x7, float *y) {
    const uint8_t *const x[] = {OPERAND(x0), OPERAND(x1), OPERAND(x2), OPERAND(x3),
                                OPERAND(x4), OPERAND(x5), OPERAND(x6), OPERAND(x7)};
    concat(p, x, (uint8_t *)y);
}

#ifdef MG_HALF
void mg_concat_f16_fwd(const mg_concat_params *p, const mg_f16 *x0, const mg_f16 *x1,
                       const mg_f16 *x2, const mg_f16 *x3, const mg_f16 *x4, const mg_f16 *x5,
                       const mg_f16 *x6, const mg_f16 *x7, mg_f16 *y) {
    const uint8_t *const x[] = {OPERAND(x0), OPERAND(x1), OPERAND(x2), OPERAND(x3),
                                OPERAND(x4), OPERAND(x5), OPERAND(x6), OPERAND(x7)};
    concat(p, x, (uint8_t *)y);
}
#endif
