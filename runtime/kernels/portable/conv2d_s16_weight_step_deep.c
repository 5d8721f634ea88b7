/* The gradient of an int8 convolution's weights from int16 gradients, and their update: what a tap
 * meets is laid out as rows of inputs, two channels side by side, with which a few channels of dy
 * are multiplied. Each sum is used up as soon as it is complete. */
#include "mg_cores.h"
#include "products_s16.h"
#include "step_s16.h"
#include "weight_s16.h"

#include <stdalign.h>

#define MAX_LAID 8192 /* bytes of inputs, unless those of two channels are more */
#define ROWS     16   /* of two input channels, at most */
#define CHANNELS MG_CODES_S16

typedef int64_t totals[2][CHANNELS];

/* Where things are in scratch memory. */
typedef struct {
    totals *total;
    mg_sums_s16 *sums;
    mg_codes_s16 *codes;
    mg_factors_s16 *inputs;
    int32_t rows, row; /* of inputs; factors from row to row */
} work;

static int32_t row_of(const mg_conv2d_params *p) {
    return p->out_h * p->out_w;
}

static int32_t rows_of(const mg_conv2d_params *p) {
    const int32_t most = MAX_LAID / (int32_t)sizeof(mg_factors_s16) / row_of(p);
    return mg_min(mg_min(mg_max(most, 1), ROWS), (p->in_c / p->groups + 1) / 2);
}

/* Positions whose codes are laid out at a time. */
static int32_t block_of(const mg_conv2d_params *p) {
    return mg_min(row_of(p), MG_SAFE_POSITIONS);
}

size_t mg_conv2d_s16_weight_step_deep_scratch_size(const mg_conv2d_params *p) {
    const size_t row =
        sizeof(totals) + sizeof(mg_sums_s16) + (size_t)row_of(p) * sizeof(mg_factors_s16);
    return alignof(int64_t) - alignof(int32_t) + (size_t)rows_of(p) * row +
           (size_t)block_of(p) * sizeof(mg_codes_s16);
}

static work work_of(const mg_conv2d_params *p, void *scratch) {
    const int32_t rows = rows_of(p);
    totals *const total = (totals *)((char *)scratch + -(uintptr_t)scratch % alignof(int64_t));
    mg_sums_s16 *const sums = (mg_sums_s16 *)(total + rows);
    mg_codes_s16 *const codes = (mg_codes_s16 *)(sums + rows);
    mg_factors_s16 *const inputs = (mg_factors_s16 *)(codes + block_of(p));
    return (work){total, sums, codes, inputs, rows, row_of(p)};
}

/* Rows of `channels` input channels at the positions that a tap meets. */
static void lay_out_inputs(const work *v, const mg_positions *at, int32_t zero_point,
                           int32_t channels, const int8_t *x) {
    for (int32_t c = 0; c < channels; c += 2) {
        const int32_t second = c + 1 < channels; /* or its sums are in vain */
        mg_factors_s16 *to = v->inputs + c / 2 * v->row;
        for (int32_t row = 0; row < at->rows; ++row) {
            const int8_t *from = x + row * at->x_row + c;
            MG_ROLLED
            for (int32_t n = at->columns; n > 0; --n, ++to, from += at->x_column) {
                to->of[0] = (int16_t)(from[0] - zero_point);
                to->of[1] = (int16_t)(from[second] - zero_point);
            }
        }
    }
}

/* `channels` channels of dy at n positions from the first on. */
static void lay_out_codes(int32_t channels, const mg_positions *at, int32_t first, int32_t n,
                          const int16_t *dy, mg_codes_s16 *to) {
    int32_t row = first / at->columns, column = first % at->columns;
    for (int32_t k = 0; k < n; column = 0, ++row) {
        const int32_t count = mg_min(n - k, at->columns - column);
        const int16_t *from[CHANNELS];
        for (int32_t i = 0; i < CHANNELS; ++i) { /* the last stands for those that are not there */
            from[i] = dy + row * at->dy_row + column * at->dy_column + mg_min(i, channels - 1);
        }
        to = mg_lay_out_s16(count, from, at->dy_column, to);
        k += count;
    }
}

/* The weights between laid out inputs and up to four channels of dy. */
static void update(const work *v, const mg_positions *at, int32_t shift, int32_t inputs,
                   int32_t channels, const int16_t *dy, mg_stepped to) {
    const int32_t positions = at->rows * at->columns, rows = (inputs + 1) / 2;
    __builtin_memset(v->total, 0, (size_t)rows * sizeof(totals));
    for (int32_t first = 0; first < positions; first += MG_SAFE_POSITIONS) {
        const int32_t n = mg_min(positions - first, MG_SAFE_POSITIONS);
        lay_out_codes(channels, at, first, n, dy, v->codes);
        mg_sum_products_s16(n, v->codes, v->inputs + first, v->row, rows, v->sums);
        for (int32_t r = 0; r < rows; ++r) {
            for (int i = 0; i < 2 * CHANNELS; ++i) {
                v->total[r][i / CHANNELS][i % CHANNELS] += v->sums[r][i / CHANNELS][i % CHANNELS];
            }
        }
    }
    for (int32_t i = 0; i < channels; ++i, to.first += to.channel) {
        int32_t dw[2 * ROWS];
        for (int32_t c = 0; c < inputs; ++c) {
            dw[c] = mg_weight_sum(v->total[c / 2][c % 2][i], shift);
        }
        mg_step_weights_s16(to.step, to.first, inputs, dw, to.w, to.w_next);
    }
}

void mg_conv2d_s16_weight_step_deep(void *scratch, const mg_conv2d_params *p,
                                    const mg_weight_step *q, const int8_t *x, const int16_t *dy,
                                    const int8_t *w, const int32_t *exponent,
                                    const int32_t *updates, const float *hyper, int8_t *w_next) {
    mg_step_s16 step = mg_step_s16_of(&q->sgd, exponent, updates, hyper);
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const int32_t taps = p->kernel_h * p->kernel_w, pairs = (depth + 1) / 2;
    const work v = work_of(p, scratch);
    /* Pairs of input channels, of each group of each tap. */
    const mg_part part = mg_share(taps * p->groups * pairs, 1);
    for (int32_t pair = part.first, rows; pair < part.end; pair += rows) {
        const int32_t group = pair / pairs, tap = group / p->groups, g = group % p->groups;
        rows = mg_min(v.rows, mg_min((group + 1) * pairs, part.end) - pair);
        const int32_t ic = pair % pairs * 2, inputs = mg_min(depth - ic, 2 * rows);
        const mg_tap_positions t = mg_positions_of_tap(p, tap);
        lay_out_inputs(&v, &t.at, q->weight.zero_point, inputs, x + t.x + g * depth + ic);
        for (int32_t c = 0; c < channels; c += CHANNELS) {
            const int32_t oc = g * channels + c;
            const mg_stepped to = {&step, w, w_next, (oc * taps + tap) * depth + ic, taps * depth};
            update(&v, &t.at, q->weight.shift, inputs, mg_min(channels - c, CHANNELS),
                   dy + t.dy + oc, to);
        }
    }
}
