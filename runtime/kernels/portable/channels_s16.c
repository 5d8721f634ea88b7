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

/* code * factor / 2^shift to nearest, halves up. With factors of at most 2^15 and a shift of 15 to
 * 31, what is scaled stays a code. */
static inline int16_t scaled(int32_t code, int32_t factor, int32_t shift) {
#ifdef __ARM_FEATURE_DSP /* the upper half of a product, rounded, is one instruction */
    const int32_t part = (int32_t)((uint32_t)factor << (31 - shift) >> 1); /* of 2^31 all give 0 */
    const int64_t product = (int64_t)(code * 4) * part;
    return (int16_t)((product + ((int64_t)1 << 31)) >> 32);
#else
    return (int16_t)((code * factor + (1 << (shift - 1))) >> shift);
#endif
}

/* Neighbouring channels, whose bits of the mask are in one byte, at all positions. */
MG_INLINE void tile(int width, int scales, int sums, const operands *o, int32_t channel) {
    const int32_t channels = o->p->channels, shift = scales ? o->q->shift : 0;
    int32_t factor[TILE], total[TILE];
    MG_UNROLLED
    for (int j = 0; j < width; ++j) {
        total[j] = 0;
        factor[j] = scales ? (int32_t)(mg_scale_at(&o->q->scales, channel + j) + 0.5f) : 0;
    }
    const uint8_t *const mask = scales ? o->mask : NULL;
    const int16_t *from = o->x + channel;
    int16_t *to = o->y + channel;
    uint32_t element = (uint32_t)channel;
    MG_ROLLED
    for (int32_t left = o->p->positions; left > 0; --left) {
        const uint32_t passing = mask != NULL ? (uint32_t)mask[element / 8] >> element % 8 : ~0u;
        MG_UNROLLED
        for (int j = 0; j < width; ++j) {
            const int32_t code = from[j] & -(int32_t)(passing >> j & 1);
            total[j] += code;
            if (scales) {
                to[j] = scaled(code, factor[j], shift);
            }
        }
        element += (uint32_t)channels;
        from += channels;
        to += channels;
    }
    if (sums) {
        MG_UNROLLED
        for (int j = 0; j < width; ++j) {
            o->sum[channel + j] = total[j];
        }
    }
}

MG_INLINE void all_channels(int scales, int sums, const operands *o) {
    const mg_part part = mg_share(o->p->channels, NARROW);
    const int32_t steps = o->mask == NULL ? 0 : o->p->channels | part.first; /* between bytes */
    int32_t channel = part.first;
    for (; steps % TILE == 0 && channel + TILE <= part.end; channel += TILE) {
        tile(TILE, scales, sums, o, channel);
    }
    for (; steps % NARROW == 0 && channel + NARROW <= part.end; channel += NARROW) {
        tile(NARROW, scales, sums, o, channel);
    }
    for (; channel < part.end; ++channel) {
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
