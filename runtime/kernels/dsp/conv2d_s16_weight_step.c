/* The gradient of an int8 convolution's weights, from int16 gradients, and their update.
 *
 * Inputs that are the stride apart meet the same taps: a phase. Its image of each channel is laid
 * out once, with padding around, and so are four channels of dy, as columns, with zeros where the
 * image has padding between its rows. Then each tap has the products of the same columns with the
 * image from another place on.
 */
#include "dot.h"
#include "phase.h"
#include "step_s16.h"
#include "turn.h"
#include "weight_s16.h"

#include <stdalign.h>

#define LAID 8192 /* bytes of images, and of totals, unless those of one channel are more */
#define ROWS 32   /* input channels at a time, at most */

/* A phase, and how it lies in its images: bytes from row to row, its first input, all. dy lies in
 * the columns likewise, `positions` from its first to behind its last. */
typedef struct {
    mg_phase down, across;
    int32_t pitch, origin, size, positions;
} view;

/* What outputs meet before the first input. */
static int32_t inputs_before(const mg_phase *v) {
    return mg_max(v->start + (v->taps - 1) * v->dilation, 0);
}

static view view_of(const mg_conv2d_params *p, int32_t y, int32_t x) {
    const mg_axis rows = mg_rows(p), columns = mg_columns(p);
    view v = {.down = mg_phase_of(&rows, y), .across = mg_phase_of(&columns, x)};
    const int32_t left = inputs_before(&v.across), right = p->out_w - v.across.start;
    v.pitch = mg_max(mg_max(left + v.across.count, right), p->out_w);
    v.origin = left + inputs_before(&v.down) * v.pitch;
    v.positions = (p->out_h - 1) * v.pitch + p->out_w;
    const int32_t met = mg_filled(v.positions) - v.down.start * v.pitch - v.across.start;
    v.size = v.origin + mg_max(v.down.count * v.pitch, met);
    return v;
}

/* How much is laid out at a time. */
typedef struct {
    int32_t rows, image; /* input channels, and bytes of the image of each */
    int32_t block;       /* positions of dy */
    int32_t totals;      /* of an input channel; 0 if all positions are a block */
} sizes;

static sizes sizes_of(const mg_conv2d_params *p) {
    const int whole = p->out_h * p->out_w <= MG_SAFE_POSITIONS;
    const int32_t taps = p->kernel_h * p->kernel_w;
    sizes s = {.image = 1, .block = MG_SAFE_POSITIONS, .totals = whole ? 0 : taps * MG_COLUMNS};
    for (int32_t y = 0; y < p->stride_h; ++y) {
        for (int32_t x = 0; x < p->stride_w; ++x) {
            const view v = view_of(p, y, x);
            s.image = mg_max(s.image, v.size);
            s.block = whole ? mg_max(s.block, v.positions) : s.block;
        }
    }
    s.block = mg_filled(s.block);
    const int32_t row = mg_max(s.image, s.totals * (int32_t)sizeof(int64_t));
    s.rows = mg_min(mg_min(mg_max(LAID / row, 1), ROWS), p->in_c / p->groups);
    return s;
}

/* Where things are in scratch memory. */
typedef struct {
    sizes size;
    int64_t *totals;
    int32_t *sums;
    mg_pair *columns;
    int8_t *ones, *images;
} work;

static size_t totals_size(const sizes *s) {
    return (size_t)(s->rows * s->totals) * sizeof(int64_t);
}

static size_t sums_size(const sizes *s) {
    return (size_t)(s->rows * MG_COLUMNS) * sizeof(int32_t);
}

static size_t columns_size(const sizes *s) {
    return (size_t)(s->block / 2 * MG_COLUMNS) * sizeof(mg_pair);
}

size_t mg_conv2d_s16_weight_step_dsp_scratch_size(const mg_conv2d_params *p) {
    const sizes s = sizes_of(p);
    return alignof(int64_t) - alignof(int32_t) + totals_size(&s) + sums_size(&s) +
           columns_size(&s) + (size_t)(s.block + s.rows * s.image);
}

static work work_of(const mg_conv2d_params *p, void *scratch) {
    const sizes s = sizes_of(p);
    char *const totals = (char *)scratch + -(uintptr_t)scratch % alignof(int64_t);
    char *const sums = totals + totals_size(&s), *const columns = sums + sums_size(&s);
    int8_t *const ones = (int8_t *)columns + columns_size(&s);
    return (work){s, (int64_t *)totals, (int32_t *)sums, (mg_pair *)columns, ones, ones + s.block};
}

/* The images of `channels` input channels. */
static void lay_out_images(const mg_conv2d_params *p, const view *v, const work *m,
                           int32_t zero_point, int32_t channels, const int8_t *x) {
    __builtin_memset(m->images, zero_point, (size_t)channels * (size_t)v->size);
    int8_t *to = m->images + v->origin;
    for (int32_t row = 0; row < v->down.count; ++row) {
        mg_turn(v->across.count, channels, x, p->stride_w * p->in_c, to, v->size);
        x += p->stride_h * p->in_w * p->in_c;
        to += v->pitch;
    }
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

/* `channels` channels of dy at n positions from the first on. */
static void lay_out_columns(const mg_conv2d_params *p, const view *v, int32_t first, int32_t n,
                            int32_t channels, const int16_t *dy, mg_pair *columns) {
    const int gaps = v->pitch > p->out_w; /* without, all is one row */
    const int32_t row = gaps ? p->out_w : v->positions, pitch = gaps ? v->pitch : v->positions;
    int32_t column = first % pitch;
    dy += (first / pitch * row + column) * p->out_c;
    __builtin_memset(columns, 0, (size_t)(mg_filled(n) / 2 * MG_COLUMNS) * sizeof *columns);
    for (int32_t k = 0; k < n; column = 0) {
        const int32_t left = row - column;
        lay_out(channels, mg_min(n - k, left), dy, p->out_c, k, columns);
        dy += left * p->out_c;
        k += pitch - column;
    }
}

/* Adds a block's sums, less the zero point's. */
static void add_up(const work *m, int32_t rows, const int32_t *centre, int64_t *totals) {
    for (int32_t r = 0; r < rows * MG_COLUMNS; ++r) {
        totals[r] += m->sums[r] - centre[r % MG_COLUMNS];
    }
}

/* The weights between some inputs and up to four channels of dy of one tap. */
static void update_tap(const work *m, int32_t rows, int32_t channels, const int32_t *centre,
                       const int64_t *totals, int32_t shift, mg_stepped to) {
    for (int32_t i = 0; i < channels; ++i, to.first += to.channel) {
        int32_t dw[ROWS];
        MG_ROLLED
        for (int32_t r = 0; r < rows; ++r) {
            const int32_t k = r * MG_COLUMNS + i;
            dw[r] = totals != NULL ? mg_weight_sum(totals[k], shift) : m->sums[k] - centre[i];
        }
        mg_step_weights_s16(to.step, to.first, rows, dw, to.w, to.w_next);
    }
}

/* The weights between some inputs and up to four channels of dy, all taps of a phase. */
static void update(const mg_conv2d_params *p, const view *v, const work *m, const mg_weight_s16 *q,
                   int32_t rows, int32_t channels, const int16_t *dy, mg_stepped to) {
    const size_t tap_totals = (size_t)rows * MG_COLUMNS;
    const int whole = m->size.totals == 0;
    if (!whole) {
        __builtin_memset(m->totals, 0, totals_size(&m->size));
    }
    for (int32_t first = 0; first < v->positions; first += m->size.block) {
        const int32_t n = mg_min(v->positions - first, m->size.block);
        int32_t centre[MG_COLUMNS];
        lay_out_columns(p, v, first, n, channels, dy, m->columns);
        mg_dot_rows(n, m->columns, m->ones, 0, 1, centre);
        for (int i = 0; i < MG_COLUMNS; ++i) {
            centre[i] *= q->zero_point;
        }
        int64_t *totals = whole ? NULL : m->totals;
        for (int32_t y = 0; y < v->down.taps; ++y) {
            for (int32_t x = 0; x < v->across.taps; ++x) {
                const int32_t row = v->down.start + y * v->down.dilation;
                const int32_t column = v->across.start + x * v->across.dilation;
                const int32_t tap = (v->down.last - y * v->down.step) * p->kernel_w +
                                    v->across.last - x * v->across.step;
                mg_stepped weights = to;
                weights.first += tap * (p->in_c / p->groups);
                mg_dot_rows(mg_filled(n), m->columns,
                            m->images + v->origin + first - row * v->pitch - column, v->size, rows,
                            m->sums);
                if (!whole) {
                    add_up(m, rows, centre, totals);
                }
                if (first + n == v->positions) {
                    update_tap(m, rows, channels, centre, totals, q->shift, weights);
                }
                totals += whole ? 0 : tap_totals;
            }
        }
    }
}

void mg_conv2d_s16_weight_step_dsp(void *scratch, const mg_conv2d_params *p,
                                   const mg_weight_step *q, const int8_t *x, const int16_t *dy,
                                   const int8_t *w, const int32_t *exponent, const int32_t *updates,
                                   const float *hyper, int8_t *w_next) {
    mg_step_s16 step = mg_step_s16_of(&q->sgd, exponent, updates, hyper);
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const int32_t row = p->kernel_h * p->kernel_w * depth;
    const work m = work_of(p, scratch);
    __builtin_memset(m.ones, 1, (size_t)m.size.block);
    for (int32_t phase = 0; phase < p->stride_h * p->stride_w; ++phase) {
        const int32_t down = phase / p->stride_w, across = phase % p->stride_w;
        const view v = view_of(p, down, across);
        const int8_t *const from = x + (down * p->in_w + across) * p->in_c;
        for (int32_t g = 0; g < p->groups; ++g) {
            for (int32_t ic = 0; ic < depth; ic += m.size.rows) {
                const int32_t rows = mg_min(depth - ic, m.size.rows);
                lay_out_images(p, &v, &m, q->weight.zero_point, rows, from + g * depth + ic);
                for (int32_t c = 0; c < channels; c += MG_COLUMNS) {
                    const int32_t oc = g * channels + c;
                    const mg_stepped to = {&step, w, w_next, oc * row + ic, row};
                    update(p, &v, &m, &q->weight, rows, mg_min(channels - c, MG_COLUMNS), dy + oc,
                           to);
                }
            }
        }
    }
}
