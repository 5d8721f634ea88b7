#include "mg_kernels.h"
#include "tile.h"

/* Bits of `count` results. */
MG_INLINE uint32_t bits_of(int32_t count, mg_clamp_s8 range, const int8_t *y) {
    const uint32_t first = (uint32_t)range.low + 1;
    const uint32_t values = range.high > range.low ? (uint32_t)range.high - first : 0;
    uint32_t bits = 0;
    for (int32_t k = 0; k < count; ++k) {
        bits |= (uint32_t)((uint32_t)y[k] - first < values) << k;
    }
    return bits;
}

void mg_saturation_mask_s8_fwd(const mg_size_params *p, const mg_clamp_s8 *q, const int8_t *y,
                               uint8_t *mask) {
    const mg_clamp_s8 range = *q;
    int32_t left = p->size;
    for (; left >= 8; left -= 8, y += 8) {
        *mask++ = (uint8_t)bits_of(8, range, y);
    }
    if (left > 0) {
        *mask = (uint8_t)bits_of(left, range, y);
    }
}

void mg_saturation_mask_f32_bwd_data(const mg_size_params *p, const float *dy, const uint8_t *mask,
                                     float *dx) {
    for (int32_t i = 0; i < p->size; ++i) {
        dx[i] = (mask[i / 8] >> (i % 8)) & 1 ? dy[i] : 0.0f;
    }
}
