#include "mg_cores.h"
#include "mg_kernels_f16.h"
#include "mg_kernels_s16.h"
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

#ifdef __ARM_FEATURE_DSP

#include <arm_acle.h>

/* Bytes of `passing` where those of y, less those of `first`, are at most those of `last`. */
MG_INLINE uint32_t inside(const int8_t *y, uint32_t first, uint32_t last, uint32_t passing) {
    uint32_t word;
    __builtin_memcpy(&word, y, sizeof word);
    (void)__usub8(last, __usub8(word, first)); /* for what it tells __sel of each byte */
    return __sel(passing, 0);
}

/* Bits of eight results: the upper half of each byte is of the second word. A product brings bit 8k
 * to 24 + k, and no two of its terms meet. */
MG_INLINE uint8_t bits_of_eight(uint32_t first, uint32_t values, const int8_t *y) {
    const uint32_t ones = values > 0 ? 0x01010101 : 0;
    const uint32_t firsts = (first & 0xFF) * 0x01010101, lasts = (values - 1) * 0x01010101;
    const uint32_t low = inside(y, firsts, lasts, ones);
    const uint32_t high = inside(y + 4, firsts, lasts, ones << 4);
    return (uint8_t)((low + high) * 0x01020408 >> 24);
}

#else

MG_INLINE uint8_t bits_of_eight(uint32_t first, uint32_t values, const int8_t *y) {
    return bits_of(8, first, values, y);
}

#endif

void mg_saturation_mask_s8_fwd(const mg_size_params *p, const mg_clamp_s8 *q, const int8_t *y,
                               uint8_t *mask) {
    const uint32_t first = (uint32_t)q->low + 1;
    const uint32_t values = q->high > q->low ? (uint32_t)q->high - first : 0;
    const mg_part part = mg_share(p->size, 8);
    int32_t left = part.end - part.first;
    y += part.first;
    mask += part.first / 8;
    MG_ROLLED
    for (; left >= 8; left -= 8, y += 8) {
        *mask++ = bits_of_eight(first, values, y);
    }
    if (left > 0) {
        *mask = bits_of(left, first, values, y);
    }
}

MG_INLINE void let_through_f32(int32_t count, uint32_t bits, const float *dy, float *dx) {
    for (int32_t k = 0; k < count; ++k) {
        dx[k] = (bits >> k) & 1 ? dy[k] : 0.0f;
    }
}

#ifdef MG_HALF
MG_INLINE void let_through_f16(int32_t count, uint32_t bits, const mg_f16 *dy, mg_f16 *dx) {
    for (int32_t k = 0; k < count; ++k) {
        dx[k] = (bits >> k) & 1 ? dy[k] : (mg_f16)0;
    }
}
#endif

MG_INLINE void let_through_s16(int32_t count, uint32_t bits, const int16_t *dy, int16_t *dx) {
    for (int32_t k = 0; k < count; ++k) {
        dx[k] = (int16_t)(dy[k] & -(int32_t)((bits >> k) & 1));
    }
}

#define MG_SATURATION_MASK(type, name)                                                             \
    void mg_saturation_mask_##name##_bwd_data(const mg_size_params *p, const type *dy,             \
                                              const uint8_t *mask, type *dx) {                     \
        const mg_part part = mg_share(p->size, 8);                                                 \
        int32_t left = part.end - part.first;                                                      \
        dy += part.first;                                                                          \
        mask += part.first / 8;                                                                    \
        dx += part.first;                                                                          \
        MG_ROLLED                                                                                  \
        for (; left >= 8; left -= 8, dy += 8, dx += 8) {                                           \
            let_through_##name(8, *mask++, dy, dx);                                                \
        }                                                                                          \
        if (left > 0) {                                                                            \
            let_through_##name(left, *mask, dy, dx);                                               \
        }                                                                                          \
    }

MG_SATURATION_MASK(float, f32)
#ifdef MG_HALF
MG_SATURATION_MASK(mg_f16, f16)
#endif
MG_SATURATION_MASK(int16_t, s16)
