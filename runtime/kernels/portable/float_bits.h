/* Floats taken apart by their bits, the same with and without a floating-point unit. */
#ifndef MG_FLOAT_BITS_H
#define MG_FLOAT_BITS_H

#include "arithmetic.h"

/* The exponent of a float >= 0, at least -126. */
static inline int32_t mg_exponent_of(float x) {
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return mg_max((int32_t)(bits >> 23), 1) - 127;
}

/* 2^exponent, held to the range of normal numbers. */
static inline float mg_power_of_two(int32_t exponent) {
    const uint32_t bits = (uint32_t)(mg_min(mg_max(exponent, -126), 127) + 127) << 23;
    float x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}

/* x = significand * 2^exponent; what is negative or not finite counts as 0. */
typedef struct {
    int32_t significand, exponent;
} mg_parts;

static inline mg_parts mg_parts_of(float x) {
    if (!(x > 0.0f && x < MG_INFINITY)) {
        return (mg_parts){0, 0};
    }
    const int32_t exponent = mg_exponent_of(x);
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    const uint32_t hidden = bits >> 23 != 0 ? 1u << 23 : 0;
    return (mg_parts){(int32_t)((bits & 0x7fffffu) | hidden), exponent - 23};
}

#endif
