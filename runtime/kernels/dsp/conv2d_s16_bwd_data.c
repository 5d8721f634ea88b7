/* The gradient of an int8 convolution's input, in int16: correlations of dy with the weights of a
 * few input channels at a time, turned so that those of an input channel lie side by side. */
#include "dot.h"
#include "integer_gradient.h"
#include "phase.h"
#include "turn.h"

#define ELEMENT int16_t
#define RESULT  int16_t
#define FINISH  mg_narrowing

#define TURNED 8192 /* bytes of weights, unless those of four channels are more */

static inline void split(const int16_t *x, mg_pair minus, mg_pair *even, mg_pair *odd) {
    const mg_pair first = mg_load_word(x), second = mg_load_word(x + 2);
    (void)minus;
    *even = mg_pair_of(first, second);
    *odd = mg_upper_pair(first, second);
}

MG_INLINE void narrow(int far, mg_narrowing q, int32_t count, const int32_t *sums,
                      int16_t *const *dx) {
    int16_t *to[MG_COLUMNS];
    MG_UNROLLED
    for (int i = 0; i < MG_COLUMNS; ++i) {
        to[i] = dx[i];
    }
    MG_ROLLED
    for (const int32_t *const end = sums + count * MG_COLUMNS; sums != end;) {
        int32_t sum[MG_COLUMNS];
        mg_load_pairs(&sums, sum);
        MG_UNROLLED
        for (int i = 0; i < MG_COLUMNS; ++i) {
            *to[i]++ = far ? mg_narrowed_far(q, sum[i]) : mg_narrowed(q, sum[i]);
            MG_COMPLETE(to[i]);
        }
    }
}

MG_APART void finish(const mg_narrowing *q, int32_t channel, int32_t count, const int32_t *sums,
                     int16_t *const *to) {
    int16_t *dx[MG_COLUMNS];
    uint32_t seen = *q->seen;
    MG_UNROLLED
    for (int i = 0; i < MG_COLUMNS; ++i) {
        dx[i] = to[i] + channel;
    }
    const mg_narrowing n = {q->shift, &seen};
    if (n.shift >= 2) {
        narrow(1, n, count, sums, dx);
    } else {
        narrow(0, n, count, sums, dx);
    }
    *q->seen = seen;
}

#include "correlate.h"

/* Input channels of each group that are turned at a time. */
static int32_t turned_channels(const mg_conv2d_params *p) {
    const int32_t all = p->groups * mg_filled(p->kernel_h * p->kernel_w * p->out_c / p->groups);
    return mg_min(mg_max(TURNED / all & -4, 4), p->in_c / p->groups);
}

/* What a correlation with all taps of w looks at. */
static mg_conv2d_params widest(const mg_conv2d_params *p) {
    mg_conv2d_params all = *p;
    all.in_c = p->out_c;
    return all;
}

size_t mg_conv2d_s16_bwd_data_dsp_scratch_size(const mg_conv2d_params *p) {
    const mg_conv2d_params all = widest(p);
    return columns_size(&all) + (size_t)(p->out_c / p->groups) * sizeof(int16_t) +
           (size_t)(turned_channels(p) * p->groups * mg_filled(products_of(&all)));
}

/* Turns what the phases' taps have from the first channel on of each group, last tap first. */
static void turn_taps(const mg_conv2d_params *p, const mg_phase *rows, const mg_phase *columns,
                      int32_t channels, const int8_t *w, int32_t row, int8_t *to) {
    const int32_t depth = p->in_c / p->groups, taps = p->kernel_h * p->kernel_w;
    const int32_t terms = p->out_c / p->groups;
    for (int32_t g = 0; g < p->groups; ++g) {
        int8_t *at = to + g * channels * row;
        for (int32_t y = 0; y < rows->taps; ++y) {
            for (int32_t x = 0; x < columns->taps; ++x) {
                const int32_t down = rows->last - y * rows->step;
                const int32_t across = columns->last - x * columns->step;
                const int8_t *const tap = w + (down * p->kernel_w + across) * depth;
                mg_turn(terms, channels, tap + g * terms * taps * depth, taps * depth, at, row);
                at += terms;
            }
        }
    }
}

void mg_conv2d_s16_bwd_data_dsp(void *scratch, const mg_conv2d_params *p, const int16_t *dy,
                                const int8_t *w, const int32_t *exponent, const int32_t *range,
                                int16_t *dx, int32_t *dx_exponent, int32_t *range_next) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const mg_conv2d_params all = widest(p);
    const int32_t depth = p->in_c / p->groups, most = turned_channels(p);
    int32_t *const work = scratch;
    int16_t *const padding = (int16_t *)((char *)work + columns_size(&all));
    int8_t *const turned = (int8_t *)(padding + p->out_c / p->groups);
    uint32_t seen = 0;
    const mg_narrowing q = mg_narrowing_of(exponent, range, &seen);
    __builtin_memset(padding, 0, (size_t)(p->out_c / p->groups) * sizeof *padding);
    for (int32_t channel = 0; channel < depth; channel += most) {
        const int32_t channels = mg_min(depth - channel, most);
        for (int32_t y = 0; y < mg_min(p->stride_h, p->in_h); ++y) {
            for (int32_t x = 0; x < mg_min(p->stride_w, p->in_w); ++x) {
                const mg_phase vertical = mg_phase_of(&down, y);
                const mg_phase horizontal = mg_phase_of(&across, x);
                mg_conv2d_params part = mg_phases(p, &vertical, &horizontal);
                part.out_c = channels * p->groups;
                const int32_t row = mg_filled(products_of(&part));
                const grid to = {dx + (y * p->in_w + x) * p->in_c + channel,
                                 p->stride_h * p->in_w * p->in_c, p->stride_w * p->in_c, depth};
                turn_taps(p, &vertical, &horizontal, channels, w + channel, row, turned);
                correlate(&part, work, padding, 0, dy, turned, row, &q, &to);
            }
        }
    }
    mg_finish(q, exponent, range, dx_exponent, range_next);
}
