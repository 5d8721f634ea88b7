/* Convolution, int8, forward. */
#include "dot.h"
#include "requantize_s8.h"

#define ELEMENT int8_t
#define RESULT  int8_t
#define FINISH  finishing

typedef struct {
    const mg_channel_s8 *channel;
    int32_t zero_point; /* of y */
} finishing;

static inline void split(const int8_t *x, mg_pair minus, mg_pair *even, mg_pair *odd) {
    const mg_bytes word = mg_load_word(x);
    *even = mg_add_even_bytes(minus, word);
    *odd = mg_add_even_bytes(minus, mg_odd_to_even(word));
}

MG_INLINE int32_t start(const finishing *f, int32_t channel) {
    return f->channel[channel].bias;
}

static __attribute__((noinline)) void finish_any(const finishing *f, int32_t channel,
                                                 const int32_t *sums, int8_t *const *to) {
    for (int i = MG_COLUMNS - 1; i >= 0; --i) {
        to[i][channel] = mg_any_s8(&f->channel[channel], f->zero_point, sums[i]);
    }
}

MG_INLINE void finish(const finishing *f, int32_t channel, const int32_t *sums, int8_t *const *to) {
    const mg_channel_s8 c = f->channel[channel];
    if (c.rounding == 0) {
        const int32_t copy[MG_COLUMNS] = {sums[0], sums[1], sums[2], sums[3]}; /* in memory */
        finish_any(f, channel, copy, to);
        return;
    }
    MG_UNROLLED
    for (int i = MG_COLUMNS - 1; i >= 0; --i) {
        to[i][channel] = mg_quick_s8(&c, 2 * sums[i]);
    }
}

#include "correlate.h"

size_t mg_conv2d_s8_fwd_dsp_scratch_size(const mg_conv2d_params *p) {
    return (size_t)p->out_c * sizeof(mg_channel_s8) + columns_size(p) +
           (size_t)(p->in_c / p->groups);
}

void mg_conv2d_s8_fwd_dsp(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                          const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y) {
    const int32_t depth = p->in_c / p->groups, n = products_of(p);
    mg_channel_s8 *const channel = scratch;
    mg_pair *const columns = (mg_pair *)(channel + p->out_c);
    int8_t *const padding = (int8_t *)columns + columns_size(p);
    for (int32_t c = 0; c < p->out_c; ++c) {
        channel[c] = mg_channel_of_s8(q, c, b, n);
    }
    __builtin_memset(padding, q->input_zero_point, (size_t)depth);
    const finishing f = {channel, q->output_zero_point};
    const grid to = {y, p->out_w * p->out_c, p->out_c, p->out_c / p->groups};
    correlate(p, columns, padding, q->input_zero_point, x, w, n, &f, &to);
    mg_narrow_s8(q, p->out_h * p->out_w * p->out_c, y);
}
