/* Correlations whose results have few channels: lanes are positions, and three channels of the
 * result are summed at once. What each column of taps meets of each channel of x is laid out as a
 * plane, zeros for padding, a band of rows at a time: so the lanes of a tap are neighbours, and
 * those of the taps of a row in planes that follow each other, two and two by turns: one
 * instruction loads both.
 *
 * Before it is included, REAL and its vectors are there, as by rvv_f16.h. */
#include "run.h"
#include "span.h"

/* How rows of x lie in a plane: those that a tap meets one after the other are neighbours. */
typedef struct {
    int32_t rows, phase, size; /* rows of x and of a phase in a plane, its elements */
} plane;

static inline plane plane_of(const mg_conv2d_params *p, int32_t band) {
    const int32_t rows = (band - 1) * p->stride_h + (p->kernel_h - 1) * p->dilation_h + 1;
    const int32_t phase = mg_ceil_div(rows, p->stride_h);
    return (plane){rows, phase, phase * p->stride_h * p->out_w};
}

/* Pairs of planes, of which the last may be half used. */
static inline int32_t pairs_of(const mg_conv2d_params *p) {
    return mg_ceil_div(p->kernel_w * p->in_c, 2);
}

static inline int32_t planes_size(const mg_conv2d_params *p) {
    return plane_of(p, rows_of_band(p)).size * 2 * pairs_of(p);
}

/* Where a row is in a plane. */
static inline int32_t place_of(const mg_conv2d_params *p, const plane *at, int32_t row) {
    return (row % p->stride_h * at->phase + row / p->stride_h) * p->out_w;
}

/* What n positions of a row of planes, `to`, meet of the channels of a column of taps. A channel at
 * either end may share its pair with the column beside. */
MG_INLINE void lay_out_row(const mg_conv2d_params *p, int32_t kx, int32_t size, const REAL *from,
                           size_t n, REAL *to) {
    const int32_t begin = kx * p->in_c, step = p->stride_w * p->in_c;
    int32_t left = p->in_c;
    to += begin / 2 * size;
    if (begin % 2 != 0) {
        mg_store_apart(to + 1, 2, mg_load_apart(from, step, n), n);
        --left;
        ++from;
        to += size;
    }
    MG_ROLLED
    for (; left > 1; left -= 2) {
        mg_store_pair(to, mg_load_pair_apart(from, step, n), n);
        from += 2;
        to += size;
    }
    if (left > 0) {
        mg_store_apart(to, 2, mg_load_apart(from, step, n), n);
    }
}

/* The planes of the band whose windows begin at row `first` of x. Columns that are padding are
 * zeros already. */
static inline void lay_out(const mg_conv2d_params *p, const plane *at, int32_t first, const REAL *x,
                           REAL *planes) {
    const mg_axis across = mg_columns(p);
    const int32_t top = mg_max(-first, 0), bottom = mg_min(p->in_h - first, at->rows);
    const int32_t line = p->in_w * p->in_c;
    for (int32_t kx = 0; kx < p->kernel_w; ++kx) {
        const mg_span span = mg_tap_span(&across, kx);
        const REAL *from = x + (first + top) * line + span.source * p->in_c;
        REAL *to = planes + 2 * span.first;
        size_t n;
        for (int32_t left = span.count; left > 0; left -= (int32_t)n) {
            n = mg_lanes(left);
            for (int32_t row = top; row < bottom; ++row) {
                lay_out_row(p, kx, 2 * at->size, from + (row - top) * line, n,
                            to + 2 * place_of(p, at, row));
            }
            from += (int32_t)n * p->stride_w * p->in_c;
            to += 2 * n;
        }
    }
    for (int32_t row = 0; row < at->rows; ++row) {
        if (row < top || row >= bottom) {
            clear_rows(pairs_of(p), 2 * p->out_w, planes + 2 * place_of(p, at, row), 2 * at->size,
                       1);
        }
    }
}

/* q NULL: no activation */
MG_INLINE void finish(mg_sums sums, const mg_clamp_f32 *q, REAL *y, int32_t step, size_t n) {
    if (q != NULL && mg_limits_f32(*q)) {
        sums = mg_limited(sums, *q, n);
    }
    mg_store_apart(y, step, mg_rounded(sums, n), n);
}

/* Some channels of the result, of which b are the biases, at the positions of a band. */
MG_INLINE void tile(int results, const mg_conv2d_params *p, const plane *at, const mg_clamp_f32 *q,
                    const REAL *planes, const REAL *w, const float *b, int32_t positions, REAL *y) {
    const int32_t row = p->kernel_w * p->in_c, step = p->out_c;
    size_t n;
    for (int32_t left = positions; left > 0; left -= (int32_t)n) {
        n = mg_lanes(left);
        mg_sums first = mg_all(b[0], n), second = mg_all(b[1], n), third = mg_all(b[2], n);
        const REAL *factors = w;
        MG_ROLLED
        for (int32_t ky = 0; ky < p->kernel_h; ++ky) {
            add_run(results, row, factors, planes + 2 * place_of(p, at, ky * p->dilation_h),
                    2 * at->size, n, &first, &second, &third);
            factors += row * RESULTS;
        }
        finish(first, q, y, step, n);
        if (results > 1) {
            finish(second, q, y + 1, step, n);
        }
        if (results > 2) {
            finish(third, q, y + 2, step, n);
        }
        planes += 2 * n;
        y += (int32_t)n * step;
    }
}

/* Elements of the weights of all channels of the result, in parts of [products][RESULTS]. */
static inline int32_t packed_size(const mg_conv2d_params *p) {
    return parts_of(p->out_c) * products_of(p);
}

/* planes: planes_size(p); w: packed_size(p); b NULL: no biases */
static inline void correlate(const mg_conv2d_params *p, const mg_clamp_f32 *q, REAL *planes,
                             const REAL *x, const REAL *w, const REAL *b, REAL *y) {
    const int32_t band = rows_of_band(p), products = products_of(p);
    const plane at = plane_of(p, band);
    clear_rows(1, planes_size(p), planes, 0, 1);
    for (int32_t down = 0, rows; down < p->out_h; down += rows) {
        rows = mg_min(band, p->out_h - down);
        const int32_t positions = rows * p->out_w;
        lay_out(p, &at, down * p->stride_h - p->pad_top, x, planes);
        for (int32_t c = 0, taken; c < p->out_c; c += taken) {
            taken = mg_min(p->out_c - c, RESULTS);
            float biases[RESULTS] = {0};
            for (int32_t i = 0; b != NULL && i < taken; ++i) {
                biases[i] = (float)b[c + i];
            }
            REAL *const to = y + down * p->out_w * p->out_c + c;
            if (taken == 3) {
                tile(3, p, &at, q, planes, w + c * products, biases, positions, to);
            } else if (taken == 2) {
                tile(2, p, &at, q, planes, w + c * products, biases, positions, to);
            } else {
                tile(1, p, &at, q, planes, w + c * products, biases, positions, to);
            }
        }
    }
}
