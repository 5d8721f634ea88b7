/* From the sums of a convolution's channel to int8, as LiteRT's reference kernels round them. */
#ifndef MG_REQUANTIZE_S8_H
#define MG_REQUANTIZE_S8_H

#include "tile_s8.h"

/* Products that a sum may have so that it stays below 2^29, as |255 * 128 * 16384| does. */
#define MG_SMALL_S8 16384

/* Where the results of a run of words go in an array of pixels; `step` leads from one to the next.
 * They are written from the last to the first, second pixels before first ones, so that one that
 * nobody wants may share the place of an earlier one. */
typedef struct {
    int8_t *pixel[MG_WORD_PIXELS_S8];
    int32_t step;
} mg_places_s8;

/* The rule itself, for any shift and bias; not inlined, as few channels need it. */
static __attribute__((noinline)) void mg_requantize_any_s8(const mg_requant_s8 *q, int32_t channel,
                                                           int32_t bias, const int32_t *sums,
                                                           int8_t *y, int32_t step) {
    for (int i = MG_RUN_S8 - 1; i >= 0; --i) {
        const int32_t sum = (int32_t)((uint32_t)sums[i] + (uint32_t)bias);
        const int32_t result =
            mg_multiply_quantized(sum, q->multiplier[channel], q->shift[channel]);
        y[i * step] = mg_limit_s8(result + q->output_zero_point, INT8_MIN, INT8_MAX);
    }
}

/* The int8 results of the sums of one channel; `small`: none reaches 2^29.
 *
 * If bias and products together stay below 2^30, they can be doubled, and the doubling high
 * product is the upper half of a 64-bit one. After a shift to the right by at least one bit, only
 * negative halves round otherwise than upwards, and they have the sign of the sum. So one rounding
 * constant serves, and takes the output's zero point with it. */
MG_INLINE void mg_requantize_s8(int small, const mg_requant_s8 *q, int32_t channel,
                                const int32_t *b, mg_sums_s8 sums, const mg_places_s8 *y) {
    const int32_t limit = 1 << 29, bias = b != NULL ? b[channel] : 0;
    const int32_t right = -q->shift[channel], step = y->step;
    if (small && right >= 1 && right <= 22 && bias >= -limit && bias < limit) {
        const int32_t multiplier = q->multiplier[channel];
        const int32_t rounding = (2 * q->output_zero_point + 1) * (1 << (right - 1));
        MG_UNROLLED
        for (int k = MG_WORD_PIXELS_S8 - 1; k >= 0; --k) {
            int8_t *to = y->pixel[k] + (MG_RUN_S8 - 1) * step + channel;
            int32_t start = 2 * (k == 0 ? bias - MG_EXCESS_S8 : bias);
            MG_COMPLETE(start); /* or it would be added to each sum before it is doubled */
            MG_UNROLLED
            for (int i = MG_RUN_S8 - 1; i >= 0; --i) {
                const int32_t doubled = 2 * sums[k][i] + start;
                const int64_t product = (int64_t)doubled * multiplier + ((int64_t)1 << 31);
                const int32_t high = (int32_t)(product >> 32) + (rounding + (doubled >> 31));
                *to = mg_limit_s8(high >> right, INT8_MIN, INT8_MAX);
                to -= step;
            }
        }
    } else {
        for (int k = MG_WORD_PIXELS_S8 - 1; k >= 0; --k) {
            int32_t kept[MG_RUN_S8]; /* a copy, so that `sums` itself can stay in registers */
            MG_UNROLLED
            for (int i = 0; i < MG_RUN_S8; ++i) {
                kept[i] = sums[k][i];
            }
            mg_requantize_any_s8(q, channel,
                                 (int32_t)((uint32_t)bias - (k == 0 ? MG_EXCESS_S8 : 0)), kept,
                                 y->pixel[k] + channel, step);
        }
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
