#include "mg_kernels.h"
#include "tile.h"

/* Bits of `count` results, of which `values` from `first` on are inside the range. */
MG_INLINE uint8_t bits_of(int32_t count, uint32_t first, uint32_t values, const int8_t *y) {
    uint32_t bits = 0;
    MG_UNROLLED
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

MG_INLINE void let_through(int32_t count, uint32_t bits, const float *dy, float *dx) {
    for (int32_t k = 0; k < count; ++k) {
        dx[k] = (bits >> k) & 1 ? dy[k] : 0.0f;
    }
}

void mg_saturation_mask_f32_bwd_data(const mg_size_params *p, const float *dy, const uint8_t *mask,
                                     float *dx) {
    int32_t left = p->size;
    MG_ROLLED
    for (; left >= 8; left -= 8, dy += 8, dx += 8) {
        let_through(8, *mask++, dy, dx);
    }
    if (left > 0) {
        let_through(left, *mask, dy, dx);
    }
}
