/* Sums and scalings of the channels of int16 gradients, apart and in one pass. */
#include "integer_gradient.h"
#include "mask.h"
#include "scales.h"

#define TILE   4
#define NARROW 2 /* of the channels that are left */

/* The operands; mask NULL: all passes; q NULL: not scaled; sum NULL: not summed. */
typedef struct {
    const mg_channel_sum_params *p;
    const mg_multipliers *q;
    const int16_t *x;
    const uint8_t *mask;
    int16_t *y;
    int32_t *sum;
} operands;

/* Neighbouring channels, at all positions. With factors of at most 2^15 and a shift of 15 or
 * more, what is scaled stays a code. */
MG_INLINE void tile(int width, int scales, int sums, const operands *o, int32_t channel) {
    const int32_t channels = o->p->channels;
    const int32_t shift = scales ? o->q->shift : 0, half = scales ? 1 << (shift - 1) : 0;
    int32_t factor[TILE], total[TILE];
    MG_UNROLLED
    for (int j = 0; j < width; ++j) {
        total[j] = 0;
        factor[j] = scales ? (int32_t)(mg_scale_at(&o->q->scales, channel + j) + 0.5f) : 0;
    }
    int32_t element = channel;
    MG_ROLLED
    for (int32_t left = o->p->positions; left > 0; --left) {
        const int16_t *const from = o->x + element;
        int16_t *const to = o->y + element;
        const uint32_t passing = scales && o->mask != NULL
                                     ? mg_passing(o->mask, (uint32_t)element, (uint32_t)width)
                                     : ~0u;
        MG_UNROLLED
        for (int j = 0; j < width; ++j) {
            const int32_t code = from[j] & -(int32_t)(passing >> j & 1);
            total[j] += code;
            if (scales) {
                to[j] = (int16_t)((code * factor[j] + half) >> shift);
            }
        }
        element += channels;
    }
    MG_UNROLLED
    for (int j = 0; j < width && sums; ++j) {
        o->sum[channel + j] = total[j];
    }
}

MG_INLINE void all_channels(int scales, int sums, const operands *o) {
    const mg_part part = mg_share(o->p->channels, NARROW);
    int32_t channel = part.first;
    for (; channel + TILE <= part.end; channel += TILE) {
        tile(TILE, scales, sums, o, channel);
    }
    for (; channel + NARROW <= part.end; channel += NARROW) {
        tile(NARROW, scales, sums, o, channel);
    }
    if (channel < part.end) {
        tile(1, scales, sums, o, channel);
    }
}

void mg_channel_sum_s16_fwd(const mg_channel_sum_params *p, const int16_t *dy, int32_t *sum) {
    all_channels(0, 1, &(operands){p, NULL, dy, NULL, NULL, sum});
}

void mg_scale_channels_s16_fwd(const mg_channel_sum_params *p, const mg_multipliers *q,
                               const int16_t *x, int16_t *y) {
    all_channels(1, 0, &(operands){p, q, x, NULL, y, NULL});
}

void mg_scaled_sum_s16_fwd(const mg_channel_sum_params *p, const mg_multipliers *q,
                           const int16_t *x, const uint8_t *mask, int16_t *y, int32_t *sum) {
    all_channels(1, 1, &(operands){p, q, x, mask, y, sum});
}
