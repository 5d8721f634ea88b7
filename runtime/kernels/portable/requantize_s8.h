/* From the sums of a convolution's channel to int8, as LiteRT's reference kernels round them. */
#ifndef MG_REQUANTIZE_S8_H
#define MG_REQUANTIZE_S8_H

#include "tile_s8.h"

/* Products that a sum may have so that it stays below 2^29, as |255 * 128 * 16384| does. */
#define MG_SMALL_S8 16384

/* How the sums of a channel become int8. */
typedef struct {
    int32_t multiplier, shift, bias, rounding; /* rounding 0: only the rule itself serves */
} mg_channel_s8;

/* Where the results of a run of words go, `step` from one to the next. They are written from the
 * last to the first, second pixels before first ones, so that one that nobody wants may share
 * the place of an earlier one. */
typedef struct {
    int8_t *pixel[MG_WORD_PIXELS_S8];
    int32_t step, zero_point;
} mg_places_s8;

/* Sums of `products` products and biases that both stay below 2^29 can be doubled. The rounding
 * takes the output's zero point with it. */
static mg_channel_s8 mg_channel_of_s8(const mg_requant_s8 *q, int32_t channel, const int32_t *b,
                                      int32_t products) {
    const int32_t limit = 1 << 29, bias = b != NULL ? b[channel] : 0, shift = q->shift[channel];
    const int quick =
        products <= MG_SMALL_S8 && shift <= -1 && shift >= -22 && bias >= -limit && bias < limit;
    const int32_t rounding = quick ? (2 * q->output_zero_point + 1) * (1 << (-shift - 1)) : 0;
    return (mg_channel_s8){q->multiplier[channel], shift, bias, rounding};
}

/* The rule itself, for any shift and bias. */
static void mg_requantize_any_s8(const mg_channel_s8 *c, const mg_sums_s8 sums,
                                 const mg_places_s8 *y, int32_t at) {
    for (int k = MG_WORD_PIXELS_S8 - 1; k >= 0; --k) {
        const uint32_t bias = (uint32_t)c->bias - (k == 0 ? MG_EXCESS_S8 : 0);
        for (int i = MG_RUN_S8 - 1; i >= 0; --i) {
            const int32_t sum = (int32_t)((uint32_t)sums[k][i] + bias);
            const int32_t result = mg_multiply_quantized(sum, c->multiplier, c->shift);
            y->pixel[k][i * y->step + at] = mg_limit_s8(result + y->zero_point, INT8_MIN, INT8_MAX);
        }
    }
}

/* The int8 results of sums; at: from y's places. */
static __attribute__((noinline)) void
mg_requantize_s8(const mg_channel_s8 *c, const mg_sums_s8 sums, const mg_places_s8 *y, int32_t at) {
    const int32_t multiplier = c->multiplier, right = -c->shift, rounding = c->rounding;
    const int32_t step = y->step;
    if (rounding == 0) {
        mg_requantize_any_s8(c, sums, y, at);
        return;
    }
    MG_UNROLLED
    for (int k = MG_WORD_PIXELS_S8 - 1; k >= 0; --k) {
        int8_t *const to = y->pixel[k] + at;
        int32_t start = 2 * (k == 0 ? c->bias - MG_EXCESS_S8 : c->bias);
        MG_COMPLETE(start); /* or the bias would be added to each sum before it is doubled */
        MG_UNROLLED
        for (int i = MG_RUN_S8 - 1; i >= 0; --i) {
            const int32_t doubled = 2 * sums[k][i] + start;
            const int32_t result = mg_multiply_doubled(doubled, multiplier, right, rounding);
            to[i * step] = mg_limit_s8(result, INT8_MIN, INT8_MAX);
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
