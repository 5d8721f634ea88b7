/* The gradient of an int8 convolution's weights, from int16 gradients, and their update: four
 * channels of dy are columns, and the inputs that a tap meets are turned to rows. */
#include "dot.h"
#include "step_s16.h"
#include "turn.h"
#include "weight_s16.h"

#include <stdalign.h>

#define TURNED 8192 /* bytes of inputs, unless those of one channel are more */
#define ROWS   32   /* input channels at a time, at most */

/* Where things are in scratch memory. The last row of `inputs` holds ones, so that its products
 * are what the zero point is multiplied with. */
typedef struct {
    int64_t *totals;
    int32_t *sums;
    mg_pair *columns;
    int8_t *inputs;
    int32_t rows, row; /* of inputs without the last; bytes from row to row */
} work;

static int32_t row_of(const mg_conv2d_params *p) {
    return mg_filled(p->out_h * p->out_w);
}

static int32_t rows_of(const mg_conv2d_params *p) {
    return mg_min(mg_min(mg_max(TURNED / row_of(p), 1), ROWS), p->in_c / p->groups);
}

static size_t totals_size(int32_t rows) {
    return (size_t)(rows * MG_COLUMNS) * sizeof(int64_t);
}

static size_t sums_size(int32_t rows) {
    return (size_t)((rows + 1) * MG_COLUMNS) * sizeof(int32_t);
}

static size_t columns_size(void) {
    return MG_SAFE_POSITIONS / 2 * MG_COLUMNS * sizeof(mg_pair);
}

size_t mg_conv2d_s16_weight_step_dsp_scratch_size(const mg_conv2d_params *p) {
    const int32_t rows = rows_of(p);
    return alignof(int64_t) - alignof(int32_t) + totals_size(rows) + sums_size(rows) +
           columns_size() + (size_t)((rows + 1) * row_of(p));
}

static work work_of(const mg_conv2d_params *p, void *scratch) {
    const int32_t rows = rows_of(p);
    char *const totals = (char *)scratch + -(uintptr_t)scratch % alignof(int64_t);
    char *const sums = totals + totals_size(rows), *const columns = sums + sums_size(rows);
    return (work){
        .totals = (int64_t *)totals,
        .sums = (int32_t *)sums,
        .columns = (mg_pair *)columns,
        .inputs = (int8_t *)columns + columns_size(),
        .rows = rows,
        .row = row_of(p),
    };
}

/* Channels of dy at n positions `step` apart become numbers k, k + 1, ... of the columns. */
static void lay_out(int32_t channels, int32_t n, const int16_t *dy, int32_t step, int32_t k,
                    mg_pair *columns) {
    while (n > 0) {
        mg_pair *const even = columns + k / 4 * 2 * MG_COLUMNS, *const odd = even + MG_COLUMNS;
        if (channels == MG_COLUMNS && n >= 4 && k % 4 == 0) {
            MG_UNROLLED
            for (int i = 0; i < MG_COLUMNS; i += 2) {
                const mg_pair a = mg_load_word(dy + i), b = mg_load_word(dy + step + i);
                const mg_pair c = mg_load_word(dy + 2 * step + i);
                const mg_pair d = mg_load_word(dy + 3 * step + i);
                even[i] = mg_pair_of(a, c);
                even[i + 1] = mg_upper_pair(a, c);
                odd[i] = mg_pair_of(b, d);
                odd[i + 1] = mg_upper_pair(b, d);
            }
            dy += 4 * step;
            k += 4;
            n -= 4;
        } else {
            char *const half = (char *)(k % 2 == 0 ? even : odd) + k % 4 / 2 * 2;
            for (int32_t i = 0; i < channels; ++i) {
                mg_store_half(half + i * 4, dy[i]);
            }
            dy += step;
            k++;
            n--;
        }
    }
}

/* Positions from the first on, n of them, of the rows and columns that a tap meets. */
static void lay_out_block(const mg_positions *at, int32_t first, int32_t n, int32_t channels,
                          const int16_t *dy, mg_pair *columns) {
    int32_t row = first / at->columns, column = first % at->columns;
    if (n % 4 != 0) { /* what fills the last word up */
        __builtin_memset(columns + n / 4 * 2 * MG_COLUMNS, 0, 2 * MG_COLUMNS * sizeof *columns);
    }
    for (int32_t k = 0; k < n; column = 0, ++row) {
        const int32_t count = mg_min(n - k, at->columns - column);
        lay_out(channels, count, dy + row * at->dy_row + column * at->dy_column, at->dy_column, k,
                columns);
        k += count;
    }
}

/* The weights between `rows` turned inputs and up to four channels of dy. */
static void update(const work *v, const mg_positions *at, const mg_weight_s16 *q, int32_t rows,
                   int32_t channels, const int16_t *dy, mg_stepped to) {
    const int32_t positions = at->rows * at->columns;
    const int32_t *const dy_sums = v->sums + v->rows * MG_COLUMNS;
    __builtin_memset(v->totals, 0, totals_size(rows));
    for (int32_t first = 0; first < positions; first += MG_SAFE_POSITIONS) {
        const int32_t n = mg_min(positions - first, MG_SAFE_POSITIONS);
        lay_out_block(at, first, n, channels, dy, v->columns);
        mg_dot_rows(n, v->columns, v->inputs + first, v->row, v->rows + 1, v->sums);
        for (int32_t r = 0; r < rows * MG_COLUMNS; ++r) {
            const int32_t centre = q->zero_point * dy_sums[r % MG_COLUMNS];
            v->totals[r] += v->sums[r] - centre;
        }
    }
    for (int32_t i = 0; i < channels; ++i, to.first += to.channel) {
        int32_t dw[ROWS];
        for (int32_t r = 0; r < rows; ++r) {
            dw[r] = mg_weight_sum(v->totals[r * MG_COLUMNS + i], q->shift);
        }
        mg_step_weights_s16(to.step, to.first, rows, dw, to.w, to.w_next);
    }
}

/* One tap, from some of a group's inputs to all its outputs. */
static void update_tap(const mg_conv2d_params *p, const work *v, const mg_positions *at,
                       const mg_weight_s16 *q, int32_t rows, const int8_t *x, const int16_t *dy,
                       mg_stepped to) {
    const int32_t channels = p->out_c / p->groups;
    for (int32_t row = 0; row < at->rows; ++row) {
        mg_turn(at->columns, rows, x + row * at->x_row, at->x_column, v->inputs + row * at->columns,
                v->row);
    }
    for (int32_t c = 0; c < channels; c += MG_COLUMNS, to.first += MG_COLUMNS * to.channel) {
        update(v, at, q, rows, mg_min(channels - c, MG_COLUMNS), dy + c, to);
    }
}

void mg_conv2d_s16_weight_step_dsp(void *scratch, const mg_conv2d_params *p,
                                   const mg_weight_step *q, const int8_t *x, const int16_t *dy,
                                   const int8_t *w, const int32_t *exponent, const int32_t *updates,
                                   const float *hyper, int8_t *w_next) {
    mg_step_s16 step = mg_step_s16_of(&q->sgd, exponent, updates, hyper);
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const int32_t taps = p->kernel_h * p->kernel_w;
    const work v = work_of(p, scratch);
    __builtin_memset(v.inputs, 1, (size_t)(v.rows + 1) * (size_t)v.row);
    for (int32_t tap = 0; tap < taps; ++tap) {
        const mg_tap_positions t = mg_positions_of_tap(p, tap);
        for (int32_t g = 0; g < p->groups; ++g) {
            for (int32_t ic = 0; ic < depth; ic += v.rows) {
                const int32_t first = (g * channels * taps + tap) * depth + ic;
                const mg_stepped to = {&step, w, w_next, first, taps * depth};
                update_tap(p, &v, &t.at, &q->weight, mg_min(depth - ic, v.rows),
                           x + t.x + g * depth + ic, dy + t.dy + g * channels, to);
            }
        }
    }
}
