/* From the sums of a convolution's channel to int8, as LiteRT's reference kernels round them. */
#ifndef MG_REQUANTIZE_S8_H
#define MG_REQUANTIZE_S8_H

#include "tile_s8.h"

/* How the sums of a channel become int8. */
typedef struct {
    int32_t multiplier, shift, bias, rounding; /* rounding 0: only the rule itself serves */
} mg_channel_s8;

/* Where the results of runs of words go: those of the first, `step` from one to the next, and
 * `next` from run to run. They are written from the last to the first, second pixels before first
 * ones, so that one that nobody wants may share the place of an earlier one. */
typedef struct {
    int8_t *pixel[MG_WORD_PIXELS_S8];
    int32_t step, next, zero_point;
} mg_places_s8;

/* Channel `channel` of a layer with biases b, if any, whose sums have `products` products. */
mg_channel_s8 mg_channel_of_s8(const mg_requant_s8 *q, int32_t channel, const int32_t *b,
                               int32_t products);

/* The int8 result of a sum with its bias, by the rule itself; zero_point: of the output. */
static inline int8_t mg_any_s8(const mg_channel_s8 *c, int32_t zero_point, int32_t sum) {
    const int32_t result = mg_multiply_quantized(sum, c->multiplier, c->shift);
    return mg_limit_s8(result + zero_point, INT8_MIN, INT8_MAX);
}

/* The same of a doubled sum, where c->rounding is not 0. */
static inline int8_t mg_quick_s8(const mg_channel_s8 *c, int32_t doubled) {
    const int32_t result = mg_multiply_doubled(doubled, c->multiplier, -c->shift, c->rounding);
    return mg_limit_s8(result, INT8_MIN, INT8_MAX);
}

/* The int8 results of the sums of `count` runs, which belong to channels c_step apart, 0 or 1. */
void mg_requantize_s8(const mg_channel_s8 *c, int32_t c_step, int32_t count, const mg_sums_s8 *sums,
                      const mg_places_s8 *y);

/* Limits all `size` results of a layer whose activation has a narrower range than int8. */
void mg_narrow_s8(const mg_requant_s8 *q, int32_t size, int8_t *y);

#endif
