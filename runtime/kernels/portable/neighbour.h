/* Rounding to half at random. */
#ifndef MG_NEIGHBOUR_H
#define MG_NEIGHBOUR_H

#include "draw.h"
#include "mg_f16.h"

#ifdef MG_HALF
#define MG_LARGEST_HALF   65504.0f
#define MG_LEAST_EXPONENT (-14) /* of normal numbers */
#define MG_HALF_BITS      10

enum {
    MG_DROPPED_BITS = 13,              /* of single precision's significand */
    MG_REBIASED = (127 - 15) << 10,    /* exponents of single and half, where half has it */
    MG_LEAST_NORMAL_BITS = 0x38800000, /* of single precision: 2^-14, and 65504 */
    MG_LARGEST_BITS = 0x477FE000,
};

/* As below for what is normal in half: a magnitude goes up where the random number carries out of
 * the bits that half has not, downwards for what is negative. */
static inline mg_f16 mg_normal_neighbour(uint32_t bits, uint32_t random) {
    const uint32_t sign = bits & 0x80000000, flipped = sign != 0 ? ~random : random;
    const uint32_t up = (bits & 0x7FFFFFFF) + (flipped >> (32 - MG_DROPPED_BITS));
    const uint16_t result = (uint16_t)((up >> MG_DROPPED_BITS) - MG_REBIASED + (sign >> 16));
    mg_f16 half;
    __builtin_memcpy(&half, &result, sizeof half);
    return half;
}

/* w, held to what half can store. */
static inline float mg_within_half(float w) {
    return w > MG_LARGEST_HALF ? MG_LARGEST_HALF : w < -MG_LARGEST_HALF ? -MG_LARGEST_HALF : w;
}

/* As below for what is less than normal: such a half's bits count steps of 2^-24. */
static inline mg_f16 mg_subnormal_neighbour(float w, uint32_t random) {
    const float steps = w * (float)(1 << (MG_HALF_BITS - MG_LEAST_EXPONENT));
    const float raised =
        steps + (float)(random >> (32 - MG_DROPPED_BITS)) * 0x1p-13f; /* no more bits fit */
    const int32_t towards_zero = (int32_t)raised;
    const int32_t whole = towards_zero - ((float)towards_zero > raised);
    const uint16_t result = (uint16_t)(whole < 0 ? 0x8000 - whole : whole);
    mg_f16 half;
    __builtin_memcpy(&half, &result, sizeof half);
    return half;
}

/* A neighbour of w in half, the upper one with the probability of w's place between the two. */
static inline mg_f16 mg_neighbour(float w, uint32_t random) {
    uint32_t bits;
    __builtin_memcpy(&bits, &w, sizeof bits);
    const uint32_t magnitude = bits & 0x7FFFFFFF;
    return magnitude >= MG_LARGEST_BITS        ? (mg_f16)mg_within_half(w)
           : magnitude >= MG_LEAST_NORMAL_BITS ? mg_normal_neighbour(bits, random)
                                               : mg_subnormal_neighbour(w, random);
}
#endif

#endif
