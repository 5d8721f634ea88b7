/* From the sums of a convolution's channel to int8. */
#include "requantize_s8.h"

/* Products that a sum may have so that it stays below 2^29, as |255 * 128 * 16384| does. */
#define SMALL 16384

/* The result of a channel whose products, at most `most` in all, change nothing; rounding 0 where
 * they do. Shifts to the right keep the order of sums, so the ends tell of all between. */
static mg_channel_s8 constant(mg_channel_s8 c, int32_t zero_point, int32_t most) {
    const int32_t limit = INT32_MAX - most;
    if (most <= 0 || c.shift > 0 || c.bias < -limit || c.bias > limit) {
        return c;
    }
    const int32_t result = mg_any_s8(&c, zero_point, c.bias + most);
    const int same = result == mg_any_s8(&c, zero_point, c.bias - most);
    return same ? (mg_channel_s8){0, -1, 0, 2 * result + 1} : c;
}

/* Sums of `products` products and biases that both stay below 2^29 can be doubled. The rounding
 * takes the output's zero point with it. */
mg_channel_s8 mg_channel_of_s8(const mg_requant_s8 *q, int32_t channel, const int32_t *b,
                               int32_t products) {
    const int32_t limit = 1 << 29, bias = b != NULL ? b[channel] : 0, shift = q->shift[channel];
    const int32_t zero_point = q->output_zero_point;
    mg_channel_s8 c = {q->multiplier[channel], shift, bias, 0};
    if (products <= SMALL && shift <= -1 && shift >= -22 && bias >= -limit && bias < limit) {
        c.rounding = (2 * zero_point + 1) * (1 << (-shift - 1));
        return c;
    }
    return constant(c, zero_point, products <= SMALL ? products * (255 * 128) : 0);
}

/* The rule itself, for any shift and bias; at: from y's places. */
static void requantize_any(const mg_channel_s8 *c, const mg_sums_s8 sums, const mg_places_s8 *y,
                           int32_t at) {
    MG_ROLLED
    for (int k = MG_WORD_PIXELS_S8 - 1; k >= 0; --k) {
        const uint32_t bias = (uint32_t)c->bias - (k == 0 ? MG_EXCESS_S8 : 0);
        MG_ROLLED
        for (int i = MG_RUN_S8 - 1; i >= 0; --i) {
            const int32_t sum = (int32_t)((uint32_t)sums[k][i] + bias);
            y->pixel[k][i * y->step + at] = mg_any_s8(c, y->zero_point, sum);
        }
    }
}

/* Of as many runs as the quick rule serves; gives how many. */
MG_APART int32_t requantize_quickly(const mg_channel_s8 *c, int32_t c_step, int32_t count,
                                    const mg_sums_s8 *sums, const mg_places_s8 *y, int32_t at) {
    const int32_t all = count, step = y->step, next = y->next;
    int8_t *to[MG_WORD_PIXELS_S8];
    MG_UNROLLED
    for (int k = 0; k < MG_WORD_PIXELS_S8; ++k) {
        to[k] = y->pixel[k] + at;
    }
    MG_ROLLED
    for (; count > 0; --count, ++sums, c += c_step) {
        const mg_channel_s8 channel = *c;
        if (channel.rounding == 0) {
            break;
        }
        MG_UNROLLED
        for (int k = MG_WORD_PIXELS_S8 - 1; k >= 0; --k) {
            int32_t start = 2 * (k == 0 ? channel.bias - MG_EXCESS_S8 : channel.bias);
            MG_COMPLETE(start); /* or the bias would be added to each sum before it is doubled */
            MG_UNROLLED
            for (int i = MG_RUN_S8 - 1; i >= 0; --i) {
                to[k][i * step] = mg_quick_s8(&channel, 2 * (*sums)[k][i] + start);
                MG_KEEP_ORDER();
            }
            to[k] += next;
            MG_COMPLETE(to[k]); /* or there would be a pointer to each result */
        }
        MG_COMPLETE(sums);
    }
    return all - count;
}

void mg_requantize_s8(const mg_channel_s8 *c, int32_t c_step, int32_t count, const mg_sums_s8 *sums,
                      const mg_places_s8 *y) {
    for (int32_t done = 0; done < count; ++done) {
        done += requantize_quickly(c + done * c_step, c_step, count - done, sums + done, y,
                                   done * y->next);
        if (done < count) {
            requantize_any(c + done * c_step, sums[done], y, done * y->next);
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
