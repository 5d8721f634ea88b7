/* Rounding to half at random. */
#ifndef MG_NEIGHBOUR_H
#define MG_NEIGHBOUR_H

#include "draw.h"
#include "float_bits.h"
#include "mg_f16.h"
#include "tile.h"

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

MG_APART mg_f16 mg_any_neighbour(float w, uint32_t random) {
    w = w > MG_LARGEST_HALF ? MG_LARGEST_HALF : w < -MG_LARGEST_HALF ? -MG_LARGEST_HALF : w;
    const int32_t exponent = mg_max(mg_exponent_of(__builtin_fabsf(w)), MG_LEAST_EXPONENT);
    const float unit = mg_power_of_two(exponent - MG_HALF_BITS);
    const float steps = w * mg_power_of_two(MG_HALF_BITS - exponent);
    const float raised =
        steps + (float)(random >> 19) * 0x1p-13f; /* no more bits fit: no rounding */
    const int32_t towards_zero = (int32_t)raised;
    const int32_t whole = towards_zero - ((float)towards_zero > raised);
    return (mg_f16)((float)whole * unit > MG_LARGEST_HALF ? MG_LARGEST_HALF : (float)whole * unit);
}

/* A neighbour of w in half, the upper one with the probability of w's place between the two. */
static inline mg_f16 mg_neighbour(float w, uint32_t random) {
    uint32_t bits;
    __builtin_memcpy(&bits, &w, sizeof bits);
    const uint32_t magnitude = bits & 0x7FFFFFFF;
    return magnitude - MG_LEAST_NORMAL_BITS < MG_LARGEST_BITS - MG_LEAST_NORMAL_BITS
               ? mg_normal_neighbour(bits, random)
               : mg_any_neighbour(w, random);
}
#endif

#endif
