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

/* Of as many channels as the quick rule serves; gives how many. */
MG_APART int32_t quick_results(const mg_channel_s8 *c, int32_t count, const int32_t *sums,
                               int8_t *const *to, int32_t channel) {
    const int32_t all = count;
    int8_t *y[MG_COLUMNS];
    MG_UNROLLED
    for (int i = 0; i < MG_COLUMNS; ++i) {
        y[i] = to[i] + channel;
    }
    MG_ROLLED
    for (; count > 0; --count) {
        const mg_channel_s8 one = *c++;
        int32_t start = 2 * one.bias;
        if (one.rounding == 0) {
            break;
        }
        MG_COMPLETE(start); /* or the bias would be added to each sum before it is doubled */
        MG_UNROLLED
        for (int i = 0; i < MG_COLUMNS; ++i) {
            *y[i]++ = mg_quick_s8(&one, 2 * *sums++ + start);
            MG_COMPLETE(sums);
        }
        MG_COMPLETE(c);
    }
    return all - count;
}

static void finish(const finishing *f, int32_t channel, int32_t count, const int32_t *sums,
                   int8_t *const *to) {
    for (int32_t done = 0; done < count; ++done) {
        done += quick_results(f->channel + channel + done, count - done, sums + done * MG_COLUMNS,
                              to, channel + done);
        for (int i = 0; done < count && i < MG_COLUMNS; ++i) {
            const mg_channel_s8 *const c = f->channel + channel + done;
            const uint32_t sum = (uint32_t)sums[done * MG_COLUMNS + i] + (uint32_t)c->bias;
            to[i][channel + done] = mg_any_s8(c, f->zero_point, (int32_t)sum);
        }
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
    int32_t *const work = (int32_t *)(channel + p->out_c);
    int8_t *const padding = (int8_t *)work + columns_size(p);
    for (int32_t c = 0; c < p->out_c; ++c) {
        channel[c] = mg_channel_of_s8(q, c, b, n);
    }
    __builtin_memset(padding, q->input_zero_point, (size_t)depth);
    const finishing f = {channel, q->output_zero_point};
    const grid to = {y, p->out_w * p->out_c, p->out_c, p->out_c / p->groups};
    correlate(p, work, padding, q->input_zero_point, x, w, n, &f, &to);
    mg_narrow_s8(q, p->out_h * p->out_w * p->out_c, y);
}
