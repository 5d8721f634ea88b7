/* The gradient of an int8 convolution's input, in int16, whose window is one position: the codes of
 * a few positions are laid out side by side, and so are the weights of two input channels. */
#include "integer_gradient.h"
#include "products_s16.h"
#include "tile.h"

#define POSITIONS MG_CODES_S16
#define MAX_LAID  8192 /* bytes of weights, unless those of two channels are more */

/* Input channels whose weights are laid out at a time. */
static int32_t channels_at_once(const mg_conv2d_params *p) {
    const int32_t most = MAX_LAID / (int32_t)sizeof(mg_factors_s16) / p->out_c;
    return 2 * mg_min(mg_max(most, 1), (p->in_c + 1) / 2);
}

size_t mg_conv2d_s16_bwd_data_pointwise_scratch_size(const mg_conv2d_params *p) {
    const size_t row = (size_t)p->out_c * sizeof(mg_factors_s16) + sizeof(mg_sums_s16);
    return (size_t)(channels_at_once(p) / 2) * row + (size_t)p->out_c * sizeof(mg_codes_s16);
}

/* The weights of `channels` input channels, two by two. */
static void lay_out_weights(const mg_conv2d_params *p, int32_t channels, const int8_t *w,
                            mg_factors_s16 *to) {
    for (int32_t c = 0; c < channels; c += 2) {
        const int32_t second = c + 1 < channels; /* or its sums are in vain */
        const int8_t *from = w + c;
        int32_t n = p->out_c;
        MG_ROLLED
        for (; n >= MG_UNROLL; n -= MG_UNROLL) {
            MG_UNROLLED
            for (int k = 0; k < MG_UNROLL; ++k, from += p->in_c) {
                *to++ = (mg_factors_s16){{from[0], from[second]}};
                MG_COMPLETE(from); /* or there would be a pointer to each */
            }
        }
        MG_ROLLED
        for (; n > 0; --n, from += p->in_c) {
            *to++ = (mg_factors_s16){{from[0], from[second]}};
        }
    }
}

MG_INLINE void narrow(mg_narrowing q, int32_t channels, const int32_t *sum, int16_t *const *to) {
    int16_t *dx[POSITIONS];
    MG_UNROLLED
    for (int i = 0; i < POSITIONS; ++i) {
        dx[i] = to[i];
    }
    MG_ROLLED
    for (; channels > 0; --channels) {
        MG_UNROLLED
        for (int i = 0; i < POSITIONS; ++i) {
            *dx[i]++ = mg_narrowed(q, *sum++);
        }
        MG_COMPLETE(sum);
    }
}

/* The codes of neighbouring channels. */
MG_APART void finish(const mg_narrowing *q, int32_t channels, const mg_sums_s16 *sums,
                     int16_t *const *dx) {
    uint32_t seen = *q->seen;
    if (q->shift >= 2) { /* here and not for each sum it is decided how they are rounded */
        narrow((mg_narrowing){q->shift, &seen}, channels, (*sums)[0], dx);
    } else {
        narrow((mg_narrowing){mg_min(q->shift, 1), &seen}, channels, (*sums)[0], dx);
    }
    *q->seen = seen;
}

void mg_conv2d_s16_bwd_data_pointwise(void *scratch, const mg_conv2d_params *p, const int16_t *dy,
                                      const int8_t *w, const int32_t *exponent,
                                      const int32_t *range, int16_t *dx, int32_t *dx_exponent,
                                      int32_t *range_next) {
    const int32_t most = channels_at_once(p);
    const mg_part part = mg_share(p->in_h * p->in_w, POSITIONS);
    mg_sums_s16 *const sums = scratch;
    mg_codes_s16 *const codes = (mg_codes_s16 *)(sums + most / 2);
    mg_factors_s16 *const weights = (mg_factors_s16 *)(codes + p->out_c);
    uint32_t seen = 0;
    const mg_narrowing q = mg_narrowing_of(exponent, range, &seen);
    for (int32_t channel = 0; channel < p->in_c; channel += most) {
        const int32_t channels = mg_min(p->in_c - channel, most);
        lay_out_weights(p, channels, w + channel, weights);
        for (int32_t first = part.first; first < part.end; first += POSITIONS) {
            const int16_t *from[POSITIONS];
            int16_t *to[POSITIONS];
            for (int32_t i = 0; i < POSITIONS; ++i) { /* the last stands for what is not there */
                const int32_t at = mg_min(first + i, part.end - 1);
                from[i] = dy + at * p->out_c;
                to[i] = dx + at * p->in_c + channel;
            }
            mg_lay_out_s16(p->out_c, from, 1, codes);
            mg_sum_products_s16(p->out_c, codes, weights, p->out_c, (channels + 1) / 2, sums);
            finish(&q, channels, sums, to);
        }
    }
    mg_finish(q, exponent, range, dx_exponent, range_next);
}
