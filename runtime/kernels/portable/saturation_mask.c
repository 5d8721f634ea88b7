#include "mg_kernels.h"
#include "tile.h"

/* Bits of `count` results, of which `values` from `first` on are inside the range. */
MG_INLINE uint8_t bits_of(int32_t count, uint32_t first, uint32_t values, const int8_t *y) {
    uint32_t bits = 0;
    for (int32_t k = 0; k < count; ++k) {
        if ((uint32_t)y[k] - first < values) {
            bits |= 1u << k;
        }
    }
    return (uint8_t)bits;
}

void mg_saturation_mask_s8_fwd(const mg_size_params *p, const mg_clamp_s8 *q, const int8_t *y,
                               uint8_t *mask) {
    const uint32_t first = (uint32_t)q->low + 1;
    const uint32_t values = q->high > q->low ? (uint32_t)q->high - first : 0;
    int32_t left = p->size;
    for (; left >= 8; left -= 8, y += 8) {
        *mask++ = bits_of(8, first, values, y);
    }
    if (left > 0) {
        *mask = bits_of(left, first, values, y);
    }
}

void mg_saturation_mask_f32_bwd_data(const mg_size_params *p, const float *dy, const uint8_t *mask,
                                     float *dx) {
    for (int32_t i = 0; i < p->size; ++i) {
        dx[i] = (mask[i / 8] >> (i % 8)) & 1 ? dy[i] : 0.0f;
    }
}
