/* Convolution, int8, forward. */
#include "dot.h"
#include "requantize_s8.h"

#define ELEMENT int8_t
#define RESULT  int8_t
#define FINISH  finishing

/* An mg_channel_s8 with its shift to the right; start: the bias, doubled where the quick rule
 * serves, which doubles sums. */
typedef struct {
    int32_t multiplier, right, start, rounding;
} quick;

typedef struct {
    const quick *channel;
    int32_t zero_point; /* of y */
} finishing;

static inline void split(const int8_t *x, mg_pair minus, mg_pair *even, mg_pair *odd) {
    const mg_bytes word = mg_load_word(x);
    *even = mg_add_even_bytes(minus, word);
    *odd = mg_add_even_bytes(minus, mg_odd_to_even(word));
}

/* Of as many channels as the quick rule serves; gives how many. */
MG_APART int32_t quick_results(const quick *c, int32_t count, const int32_t *sums,
                               int8_t *const *to, int32_t channel) {
    const mg_pair *next = &c->multiplier;
    int8_t *y[MG_COLUMNS];
    int32_t left = count;
    MG_UNROLLED
    for (int i = 0; i < MG_COLUMNS; ++i) {
        y[i] = to[i] + channel;
    }
    MG_ROLLED
    for (; left > 0; --left) {
        mg_pair v[4]; /* of a quick */
        mg_load_pairs(&next, v);
        const mg_channel_s8 one = {.multiplier = v[0], .shift = -v[1], .rounding = v[3]};
        if (one.rounding == 0) {
            break;
        }
        MG_UNROLLED
        for (int i = 0; i < MG_COLUMNS; ++i) {
            *y[i]++ = mg_quick_s8(&one, 2 * *sums++ + v[2]);
            MG_COMPLETE(sums);
        }
    }
    return count - left;
}

static void finish(const finishing *f, int32_t channel, int32_t count, const int32_t *sums,
                   int8_t *const *to) {
    for (int32_t done = 0; done < count; ++done) {
        done += quick_results(f->channel + channel + done, count - done, sums + done * MG_COLUMNS,
                              to, channel + done);
        for (int i = 0; done < count && i < MG_COLUMNS; ++i) {
            const quick *const c = f->channel + channel + done;
            const mg_channel_s8 one = {.multiplier = c->multiplier, .shift = -c->right};
            const uint32_t sum = (uint32_t)sums[done * MG_COLUMNS + i] + (uint32_t)c->start;
            to[i][channel + done] = mg_any_s8(&one, f->zero_point, (int32_t)sum);
        }
    }
}

#include "correlate.h"

size_t mg_conv2d_s8_fwd_dsp_scratch_size(const mg_conv2d_params *p) {
    return (size_t)p->out_c * sizeof(quick) + columns_size(p) + (size_t)(p->in_c / p->groups);
}

void mg_conv2d_s8_fwd_dsp(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                          const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y) {
    const int32_t depth = p->in_c / p->groups, n = products_of(p);
    quick *const channel = scratch;
    int32_t *const work = (int32_t *)(channel + p->out_c);
    int8_t *const padding = (int8_t *)work + columns_size(p);
    for (int32_t c = 0; c < p->out_c; ++c) {
        const mg_channel_s8 one = mg_channel_of_s8(q, c, b, n);
        const int32_t start = one.rounding != 0 ? 2 * one.bias : one.bias;
        channel[c] = (quick){one.multiplier, -one.shift, start, one.rounding};
    }
    __builtin_memset(padding, q->input_zero_point, (size_t)depth);
    const finishing f = {channel, q->output_zero_point};
    const grid to = {y, p->out_w * p->out_c, p->out_c, p->out_c / p->groups};
    correlate(p, work, padding, q->input_zero_point, x, w, n, &f, &to);
    mg_narrow_s8(q, p->out_h * p->out_w * p->out_c, y);
}
