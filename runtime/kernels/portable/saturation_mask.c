#include "mg_kernels.h"

void mg_saturation_mask_s8_fwd(const mg_size_params *p, const mg_clamp_s8 *q, const int8_t *y,
                               uint8_t *mask) {
    const mg_clamp_s8 range = *q;
    for (int32_t i = 0; i < p->size; i += 8) {
        const int32_t count = p->size - i < 8 ? p->size - i : 8;
        uint32_t bits = 0;
        for (int32_t k = 0; k < count; ++k) {
            bits |= (uint32_t)(y[i + k] > range.low && y[i + k] < range.high) << k;
        }
        *mask++ = (uint8_t)bits;
    }
}

void mg_saturation_mask_f32_bwd_data(const mg_size_params *p, const float *dy, const uint8_t *mask,
                                     float *dx) {
    for (int32_t i = 0; i < p->size; ++i) {
        dx[i] = (mask[i / 8] >> (i % 8)) & 1 ? dy[i] : 0.0f;
    }
}
