/* Rounding to half at random. */
#ifndef MG_NEIGHBOUR_H
#define MG_NEIGHBOUR_H

#include "draw.h"
#include "float_bits.h"
#include "mg_f16.h"

#define MG_LARGEST_HALF   65504.0f
#define MG_LEAST_EXPONENT (-14) /* of normal numbers */
#define MG_HALF_BITS      10

/* A neighbour of w in half, the upper one with the probability of w's place between the two. */
static inline mg_f16 mg_neighbour(float w, uint32_t random) {
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

#endif
