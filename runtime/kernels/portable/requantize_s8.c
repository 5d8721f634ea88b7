/* From the sums of a convolution's channel to int8. */
#include "requantize_s8.h"

/* Products that a sum may have so that it stays below 2^29, as |255 * 128 * 16384| does. */
#define SMALL 16384

/* Sums of `products` products and biases that both stay below 2^29 can be doubled. The rounding
 * takes the output's zero point with it. */
mg_channel_s8 mg_channel_of_s8(const mg_requant_s8 *q, int32_t channel, const int32_t *b,
                               int32_t products) {
    const int32_t limit = 1 << 29, bias = b != NULL ? b[channel] : 0, shift = q->shift[channel];
    const int quick =
        products <= SMALL && shift <= -1 && shift >= -22 && bias >= -limit && bias < limit;
    const int32_t rounding = quick ? (2 * q->output_zero_point + 1) * (1 << (-shift - 1)) : 0;
    return (mg_channel_s8){q->multiplier[channel], shift, bias, rounding};
}

/* The rule itself, for any shift and bias. */
static void requantize_any(const mg_channel_s8 *c, const mg_sums_s8 sums, const mg_places_s8 *y,
                           int32_t at) {
    for (int k = MG_WORD_PIXELS_S8 - 1; k >= 0; --k) {
        const uint32_t bias = (uint32_t)c->bias - (k == 0 ? MG_EXCESS_S8 : 0);
        for (int i = MG_RUN_S8 - 1; i >= 0; --i) {
            const int32_t sum = (int32_t)((uint32_t)sums[k][i] + bias);
            y->pixel[k][i * y->step + at] = mg_any_s8(c, y->zero_point, sum);
        }
    }
}

void mg_requantize_s8(const mg_channel_s8 *c, const mg_sums_s8 sums, const mg_places_s8 *y,
                      int32_t at) {
    const mg_channel_s8 channel = *c;
    const int32_t step = y->step;
    if (channel.rounding == 0) {
        requantize_any(c, sums, y, at);
        return;
    }
    MG_UNROLLED
    for (int k = MG_WORD_PIXELS_S8 - 1; k >= 0; --k) {
        int8_t *const to = y->pixel[k] + at;
        int32_t start = 2 * (k == 0 ? channel.bias - MG_EXCESS_S8 : channel.bias);
        MG_COMPLETE(start); /* or the bias would be added to each sum before it is doubled */
        MG_UNROLLED
        for (int i = MG_RUN_S8 - 1; i >= 0; --i) {
            to[i * step] = mg_quick_s8(&channel, 2 * sums[k][i] + start);
        }
    }
}

void mg_narrow_s8(const mg_requant_s8 *q, int32_t size, int8_t *y) {
    const int32_t low = q->low, high = q->high;
    if (low > INT8_MIN || high < INT8_MAX) {
        for (int32_t i = 0; i < size; ++i) {
            y[i] = mg_limit_s8(y[i], low, high);
        }
    }
}
