/* Correlations whose results have few channels: lanes are positions, and three channels of the
 * result are summed at once. What each column of taps meets of each channel of x is laid out as a
 * plane, zeros for padding, a band of rows at a time: so the lanes of a tap are neighbours, and
 * those of the taps of a row in planes that follow each other.
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

static inline int32_t planes_size(const mg_conv2d_params *p) {
    return plane_of(p, rows_of_band(p)).size * p->kernel_w * p->in_c;
}

/* Where a row is in a plane. */
static inline int32_t place_of(const mg_conv2d_params *p, const plane *at, int32_t row) {
    return (row % p->stride_h * at->phase + row / p->stride_h) * p->out_w;
}

/* The planes of the band whose windows begin at row `first` of x. Columns that are padding are
 * zeros already. */
static inline void lay_out(const mg_conv2d_params *p, const plane *at, int32_t first, const REAL *x,
                           REAL *planes) {
    const mg_axis across = mg_columns(p);
    for (int32_t kx = 0; kx < p->kernel_w; ++kx) {
        const mg_span span = mg_tap_span(&across, kx);
        REAL *const column = planes + kx * p->in_c * at->size + span.first;
        for (int32_t row = 0; row < at->rows; ++row) {
            const int32_t y = first + row;
            REAL *const to = column + place_of(p, at, row);
            if (y >= 0 && y < p->in_h) {
                copy(p->in_c, span.count, x + (y * p->in_w + span.source) * p->in_c, 1,
                     p->stride_w * p->in_c, to, at->size, 1);
            } else {
                clear_rows(p->in_c, span.count, to, at->size);
            }
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
            add_run(results, row, factors, planes + place_of(p, at, ky * p->dilation_h), at->size,
                    n, &first, &second, &third);
            factors += row * RESULTS;
        }
        finish(first, q, y, step, n);
        if (results > 1) {
            finish(second, q, y + 1, step, n);
        }
        if (results > 2) {
            finish(third, q, y + 2, step, n);
        }
        planes += n;
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
    clear_rows(1, planes_size(p), planes, 0);
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
