/* Sum over positions of each channel of a float gradient that may be masked on the way; its type
 * is that of real_f32.h or real_f16.h, which stands before it. */
#include "arithmetic.h"
#include "mask.h"
#include "mg_cores.h"

#define TILE   8
#define NARROW 2 /* of the channels that are left */

/* The operands; mask NULL: all passes, and nothing but the sum is written. */
typedef struct {
    const mg_channel_sum_params *p;
    const REAL *dy;
    const uint8_t *mask;
    const REAL *gathered;
    REAL *dx, *sum;
} operands;

/* Adds up to MG_BLOCK positions of neighbouring channels, from an element on. */
MG_INLINE void block(int width, int masks, const operands *o, int32_t element, int32_t positions,
                     float *part) {
    const int32_t channels = o->p->channels;
    MG_ROLLED
    for (; positions > 0; --positions) {
        const REAL *const from = o->dy + element;
        const uint32_t passing =
            masks ? mg_passing(o->mask, (uint32_t)element, (uint32_t)width) : 0;
        MG_UNROLLED
        for (int j = 0; j < width; ++j) {
            float value = (float)from[j];
            if (masks) {
                value = passing >> j & 1 ? value : 0.0f;
                o->dx[element + j] = (REAL)value;
            }
            part[j] += value;
        }
        element += channels;
    }
}

MG_INLINE void tile(int width, const operands *o, int32_t channel) {
    float total[TILE];
    MG_UNROLLED
    for (int j = 0; j < width; ++j) {
        total[j] = o->gathered != NULL ? (float)o->gathered[channel + j] : 0.0f;
    }
    for (int32_t at = 0; at < o->p->positions; at += MG_BLOCK) {
        float part[TILE] = {0.0f};
        const int32_t element = at * o->p->channels + channel;
        const int32_t positions = mg_min(o->p->positions - at, MG_BLOCK);
        if (o->mask != NULL) {
            block(width, 1, o, element, positions, part);
        } else {
            block(width, 0, o, element, positions, part);
        }
        MG_UNROLLED
        for (int j = 0; j < width; ++j) {
            total[j] += part[j];
        }
    }
    MG_UNROLLED
    for (int j = 0; j < width; ++j) {
        o->sum[channel + j] = (REAL)total[j];
    }
}

static void all_channels(const operands *o) {
    const mg_part part = mg_share(o->p->channels, NARROW);
    int32_t channel = part.first;
    for (; channel + TILE <= part.end; channel += TILE) {
        tile(TILE, o, channel);
    }
    for (; channel + NARROW <= part.end; channel += NARROW) {
        tile(NARROW, o, channel);
    }
    if (channel < part.end) {
        tile(1, o, channel);
    }
}

void KERNEL(channel_sum, fwd)(const mg_channel_sum_params *p, const REAL *dy, const REAL *gathered,
                              REAL *sum) {
    all_channels(&(operands){p, dy, NULL, gathered, NULL, sum});
}

void KERNEL(masked_sum, fwd)(const mg_channel_sum_params *p, const REAL *dy, const uint8_t *mask,
                             const REAL *gathered, REAL *dx, REAL *sum) {
    all_channels(&(operands){p, dy, mask, gathered, dx, sum});
}
