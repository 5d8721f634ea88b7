/* Scalar arithmetic that the portable kernels share. */
#ifndef MG_ARITHMETIC_H
#define MG_ARITHMETIC_H

#include "mg_kernels.h"

static inline int32_t mg_min(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static inline int32_t mg_max(int32_t a, int32_t b) {
    return a > b ? a : b;
}

/* Comparisons that are false let a NaN through, so that it shows in the loss. */
static inline float mg_limit_f32(float x, mg_clamp_f32 range) {
    return x < range.low ? range.low : x > range.high ? range.high : x;
}

static inline int mg_limits_f32(mg_clamp_f32 range) {
    return range.low > -__builtin_inff() || range.high < __builtin_inff();
}

static inline int8_t mg_limit_s8(int32_t x, int32_t low, int32_t high) {
    return (int8_t)(x < low ? low : x > high ? high : x);
}

/* gemmlowp's SaturatingRoundingDoublingHighMul, for operands not both INT32_MIN. There, halves
 * of a negative product are rounded up; so does the arithmetic shift, without a branch. */
static inline int32_t mg_doubling_high_mul(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* gemmlowp's RoundingDivideByPOT: to nearest, halves away from zero; 0 <= exponent <= 31, and
 * x > INT32_MIN. The last bit shifted out rounds up, and negative halves are first moved down. */
static inline int32_t mg_rounding_shift_right(int32_t x, int32_t exponent) {
    const int32_t moved = x - (x < 0);
    return exponent == 0 ? x : (moved >> exponent) + ((moved >> (exponent - 1)) & 1);
}

/* LiteRT's MultiplyByQuantizedMultiplier: x * multiplier * 2^(shift - 31), rounded twice. */
static inline int32_t mg_multiply_quantized(int32_t x, int32_t multiplier, int32_t shift) {
    const int32_t shifted = shift > 0 ? (int32_t)((uint32_t)x << shift) : x;
    const int32_t product = mg_doubling_high_mul(shifted, multiplier);
    return shift < 0 ? mg_rounding_shift_right(product, -shift) : product;
}

/* The same for |x| < 2^30, as `doubled`, and a shift by `right` >= 1 bits to the right. The
 * doubling high product is then the upper half of a 64-bit one, and as only negative halves round
 * otherwise than upwards, and they have the sign of x, one constant rounds: 2^(right - 1), to which
 * what is added to the result, times 2^right, may be added. */
static inline int32_t mg_multiply_doubled(int32_t doubled, int32_t multiplier, int32_t right,
                                          int32_t rounding) {
    const int64_t product = (int64_t)doubled * multiplier + ((int64_t)1 << 31);
    return ((int32_t)(product >> 32) + (rounding + (doubled >> 31))) >> right;
}

/* The sum of a channel as int8, rounded once, halves away from zero; exact, as a fraction of a
 * double is. */
static inline int8_t mg_rescaled_s8(const mg_rescale_s8 *q, int32_t channel, int32_t sum) {
    const double y = sum * q->scale[channel];
    int32_t whole = y > 256 ? 256 : y < -256 ? -256 : (int32_t)y; /* beyond, int8 is full */
    whole += (y >= whole + 0.5) - (y <= whole - 0.5);
    return mg_limit_s8(whole + q->output_zero_point, q->low, q->high);
}

#endif
