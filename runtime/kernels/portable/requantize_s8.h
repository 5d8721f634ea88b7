/* From the sums of a convolution's channel to int8, as LiteRT's reference kernels round them. */
#ifndef MG_REQUANTIZE_S8_H
#define MG_REQUANTIZE_S8_H

#include "tile_s8.h"

/* Products that a sum may have so that it stays below 2^29, as |255 * 128 * 16384| does. */
#define MG_SMALL_S8 16384

/* Not inlined, as few channels need it: the rule itself, for any shift and bias. */
static __attribute__((noinline)) void mg_requantize_any_s8(int count, const mg_requant_s8 *q,
                                                           int32_t channel, int32_t bias,
                                                           const int32_t *sums, int8_t *const *y) {
    const int32_t multiplier = q->multiplier[channel], shift = q->shift[channel];
    for (int i = count - 1; i >= 0; --i) {
        const int32_t sum = (int32_t)((uint32_t)sums[i] + (uint32_t)bias);
        const int32_t result = mg_multiply_quantized(sum, multiplier, shift);
        y[i][channel] = mg_limit_s8(result + q->output_zero_point, INT8_MIN, INT8_MAX);
    }
}

/* y[i][channel] = the int8 result of sums[i] with its bias, from the last to the first: so one that
 * nobody wants may have the place of an earlier one. `small`: no sum of products reaches 2^29.
 *
 * If bias and products together stay below 2^30, they can be doubled, and the doubling high
 * product is the upper half of a 64-bit one. After a shift to the right by at least one bit, only
 * negative halves round otherwise than upwards, and they have the sign of the sum. So one rounding
 * constant serves, and takes the output's zero point with it. */
MG_INLINE void mg_requantize_s8(int count, int small, const mg_requant_s8 *q, int32_t channel,
                                const int32_t *b, const int32_t *sums, int8_t *const *y) {
    const int32_t limit = 1 << 29, bias = b != NULL ? b[channel] : 0;
    const int32_t right = -q->shift[channel];
    if (small && right >= 1 && right <= 22 && bias >= -limit && bias < limit) {
        const int32_t multiplier = q->multiplier[channel];
        const int32_t rounding = (2 * q->output_zero_point + 1) * (1 << (right - 1));
        MG_UNROLLED
        for (int i = count - 1; i >= 0; --i) {
            const int32_t doubled = 2 * sums[i] + 2 * bias;
            const int64_t product = (int64_t)doubled * multiplier + ((int64_t)1 << 31);
            const int32_t high = (int32_t)(product >> 32) + (rounding + (doubled >> 31));
            y[i][channel] = mg_limit_s8(high >> right, INT8_MIN, INT8_MAX);
        }
    } else {
        int32_t kept[MG_TILE_PIXELS_S8]; /* a copy, so that `sums` itself can stay in registers */
        MG_UNROLLED
        for (int i = 0; i < count; ++i) {
            kept[i] = sums[i];
        }
        mg_requantize_any_s8(count, q, channel, bias, kept, y);
    }
}

/* All `size` results of a layer whose activation has a narrower range than int8. */
static inline void mg_narrow_s8(const mg_requant_s8 *q, int32_t size, int8_t *y) {
    const int32_t low = q->low, high = q->high;
    if (low > INT8_MIN || high < INT8_MAX) {
        for (int32_t i = 0; i < size; ++i) {
            y[i] = mg_limit_s8(y[i], low, high);
        }
    }
}

#endif
