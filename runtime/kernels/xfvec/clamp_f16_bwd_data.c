/* The gradient before a limit to positive numbers, two halves at a time in the integer unit:
 * positive halves are in the order of their bits. */
#include "arithmetic.h"
#include "mg_kernels_f16.h"
#include "tile.h"

enum { WORDS = 4, MAGNITUDES = 0x7FFF7FFF };

static uint32_t bits_of(float x) {
    const mg_f16 half = (mg_f16)x;
    uint16_t bits;
    __builtin_memcpy(&bits, &half, sizeof bits);
    return bits;
}

MG_INLINE uint32_t load(const mg_f16 *from) {
    uint32_t two;
    __builtin_memcpy(&two, __builtin_assume_aligned(from, sizeof two), sizeof two);
    return two;
}

/* Ones for each half of y that is inside: of positive halves the first sum has the sign bit where
 * they are above the lower limit, the second where they are below the upper one. */
MG_INLINE uint32_t passing(uint32_t y, uint32_t above, uint32_t below) {
    const uint32_t inside = ((y & MAGNITUDES) + above) & (below - (y & MAGNITUDES)) & ~y;
    return (inside >> 15 & 0x00010001U) * 0xFFFFU;
}

MG_INLINE void word(const mg_f16 *dy, const mg_f16 *y, uint32_t above, uint32_t below, mg_f16 *dx) {
    const uint32_t two = load(dy) & passing(load(y), above, below);
    __builtin_memcpy(__builtin_assume_aligned(dx, sizeof two), &two, sizeof two);
}

void mg_clamp_f16_bwd_data_xfvec(const mg_size_params *p, const mg_clamp_f32 *q, const mg_f16 *dy,
                                 const mg_f16 *y, mg_f16 *dx) {
    const uint32_t above = (0x7FFFU - bits_of(q->low)) * 0x00010001U;
    const uint32_t below = (0x7FFFU + bits_of(q->high)) * 0x00010001U;
    const mg_f16 *const end = y + p->size;
    MG_ROLLED
    for (; end - y >= 2 * WORDS; y += 2 * WORDS, dy += 2 * WORDS, dx += 2 * WORDS) {
        MG_UNROLLED
        for (int i = 0; i < WORDS; ++i) {
            word(dy + 2 * i, y + 2 * i, above, below, dx + 2 * i);
        }
    }
    MG_ROLLED
    for (; end - y >= 2; y += 2, dy += 2, dx += 2) {
        word(dy, y, above, below, dx);
    }
    if (y != end) {
        *dx = (float)*y > q->low && (float)*y < q->high ? *dy : (mg_f16)0;
    }
}
