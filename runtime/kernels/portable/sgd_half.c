/* The update of weights in half precision, whose rounding keeps small steps in the mean. */
#include "draw.h"
#include "float_bits.h"
#include "mg_cores.h"
#include "mg_kernels_f16.h"
#include "tile.h"

/* The golden model rounds each operation, so none may be fused with the next. GCC keeps to that
 * under -std=c11. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#define LARGEST          65504.0f
#define SMALLEST_NORMAL  -14 /* exponent */
#define SIGNIFICAND_BITS 10

enum {
    DROPPED_BITS = 13,              /* of single precision's significand */
    REBIASED = (127 - 15) << 10,    /* exponents of single and half precision, where half has it */
    LEAST_NORMAL_BITS = 0x38800000, /* of single precision: 2^-14, and 65504 */
    LARGEST_BITS = 0x477FE000,
};

/* As below for what is normal in half: a magnitude goes up where the random number carries out of
 * the bits that half has not, downwards for what is negative. */
static inline mg_f16 rounded_normal(uint32_t bits, uint32_t random) {
    const uint32_t sign = bits & 0x80000000, flipped = sign != 0 ? ~random : random;
    const uint32_t up = (bits & 0x7FFFFFFF) + (flipped >> (32 - DROPPED_BITS));
    const uint16_t result = (uint16_t)((up >> DROPPED_BITS) - REBIASED + (sign >> 16));
    mg_f16 half;
    __builtin_memcpy(&half, &result, sizeof half);
    return half;
}

MG_APART mg_f16 rounded_any(float w, uint32_t random) {
    w = w > LARGEST ? LARGEST : w < -LARGEST ? -LARGEST : w;
    const int32_t exponent = mg_max(mg_exponent_of(__builtin_fabsf(w)), SMALLEST_NORMAL);
    const float unit = mg_power_of_two(exponent - SIGNIFICAND_BITS);
    const float steps = w * mg_power_of_two(SIGNIFICAND_BITS - exponent);
    const float raised =
        steps + (float)(random >> 19) * 0x1p-13f; /* no more bits fit: no rounding */
    const int32_t towards_zero = (int32_t)raised;
    const int32_t whole = towards_zero - ((float)towards_zero > raised);
    return (mg_f16)((float)whole * unit > LARGEST ? LARGEST : (float)whole * unit);
}

/* A neighbour of w in half, the upper one with the probability of w's place between the two. */
static inline mg_f16 rounded(float w, uint32_t random) {
    uint32_t bits;
    __builtin_memcpy(&bits, &w, sizeof bits);
    const uint32_t magnitude = bits & 0x7FFFFFFF;
    return magnitude - LEAST_NORMAL_BITS < LARGEST_BITS - LEAST_NORMAL_BITS
               ? rounded_normal(bits, random)
               : rounded_any(w, random);
}

void mg_sgd_f16_step(const mg_size_params *p, const mg_sgd_half *q, const mg_f16 *w,
                     const mg_f16 *dw, const float *scale, const int32_t *finite,
                     const int32_t *updates, const float *hyper, mg_f16 *w_next) {
    const float rate = q->rate * hyper[0], decay = hyper[2], unscale = 1.0f / *scale;
    const uint32_t draw = mg_first_draw(q->salt, *updates);
    const mg_part part = mg_share(p->size, 4);
    if (*finite == 0) {
        __builtin_memmove(w_next + part.first, w + part.first,
                          (size_t)(part.end - part.first) * sizeof *w);
        return;
    }
    for (int32_t i = part.first; i < part.end; ++i) {
        const float old = (float)w[i];
        const float step = rate * ((float)dw[i] * unscale + decay * old);
        w_next[i] = rounded(old - step, mg_mixed(draw + (uint32_t)i));
    }
}
