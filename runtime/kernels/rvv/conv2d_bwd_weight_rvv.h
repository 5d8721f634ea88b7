/* The body of the gradient of a float convolution's weights. A tap's weights are a matrix, the sum
 * over positions of the products of the channels of both sides; lanes are those of the side that
 * has more of them. */
#include "span.h"

#define ROWS 3 /* of the matrix, summed at once */

/* One side: the elements to the next position and from the last of a row to the next row's. In dw
 * its neighbouring channels are `dw_step` apart. */
typedef struct {
    int32_t column, row, channels, dw_step;
} side;

/* The positions whose window has one tap inside the image. */
typedef struct {
    int32_t rows, columns;
    side row, lane;
} positions;

/* Adds the products of a position. */
MG_INLINE void add_position(int rows, const REAL *a, mg_vector b, size_t n, mg_sums *first,
                            mg_sums *second, mg_sums *third) {
    *first = mg_add_scaled(*first, a[0], b, n);
    if (rows > 1) {
        *second = mg_add_scaled(*second, a[1], b, n);
    }
    if (rows > 2) {
        *third = mg_add_scaled(*third, a[2], b, n);
    }
}

/* Lanes that are neighbours in dw go there as they are. */
MG_INLINE void finish(mg_sums sums, int32_t step, const REAL *gathered, REAL *dw, size_t n) {
    if (gathered != NULL) {
        const mg_vector before =
            step == 1 ? mg_load(gathered, n) : mg_load_apart(gathered, step, n);
        sums = mg_add_scaled(sums, (REAL)1.0f, before, n);
    }
    if (step == 1) {
        mg_store(dw, mg_rounded(sums, n), n);
    } else {
        mg_store_apart(dw, step, mg_rounded(sums, n), n);
    }
}

/* Some rows of the matrix. */
MG_INLINE void tile(int rows, const positions *at, const REAL *a0, const REAL *b0,
                    const REAL *gathered, REAL *dw) {
    size_t n;
    for (int32_t left = at->lane.channels; left > 0; left -= (int32_t)n) {
        n = mg_lanes(left);
        mg_sums first = mg_all(0.0f, n), second = first, third = first;
        const REAL *a = a0, *b = b0;
        MG_ROLLED
        for (int32_t row = at->rows; row > 0; --row) {
            const REAL *const end = a + at->columns * at->row.column;
            if (at->columns % 2 != 0) {
                add_position(rows, a, mg_load(b, n), n, &first, &second, &third);
                a += at->row.column;
                b += at->lane.column;
            }
            MG_ROLLED
            while (a != end) {
                MG_UNROLLED
                for (int i = 0; i < 2; ++i) {
                    add_position(rows, a, mg_load(b, n), n, &first, &second, &third);
                    a += at->row.column;
                    b += at->lane.column;
                }
            }
            a += at->row.row;
            b += at->lane.row;
        }
        const int32_t step = at->lane.dw_step, next = at->row.dw_step;
        finish(first, step, gathered, dw, n);
        if (rows > 1) {
            finish(second, step, gathered != NULL ? gathered + next : NULL, dw + next, n);
        }
        if (rows > 2) {
            finish(third, step, gathered != NULL ? gathered + 2 * next : NULL, dw + 2 * next, n);
        }
        b0 += n;
        dw += (int32_t)n * step;
        gathered = gathered != NULL ? gathered + (int32_t)n * step : NULL;
    }
}

/* The weights of one tap in one group. */
static void matrix(const positions *at, const REAL *a, const REAL *b, const REAL *gathered,
                   REAL *dw) {
    int32_t rows;
    for (int32_t left = at->row.channels; left > 0; left -= rows) {
        rows = mg_min(left, ROWS);
        if (rows == 3) {
            tile(3, at, a, b, gathered, dw);
        } else if (rows == 2) {
            tile(2, at, a, b, gathered, dw);
        } else {
            tile(1, at, a, b, gathered, dw);
        }
        a += rows;
        dw += rows * at->row.dw_step;
        gathered = gathered != NULL ? gathered + rows * at->row.dw_step : NULL;
    }
}

/* The weights of one tap. */
static inline void all_groups(const mg_conv2d_params *p, const mg_span *rows,
                              const mg_span *columns, const REAL *x, const REAL *dy,
                              const REAL *gathered, REAL *dw) {
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const int inside = rows->count > 0 && columns->count > 0;
    const int32_t count = inside ? columns->count : 0, column = p->stride_w * p->in_c;
    const side in = {column, p->stride_h * p->in_w * p->in_c - count * column, depth, 1};
    const side out = {p->out_c, (p->out_w - count) * p->out_c, channels,
                      p->kernel_h * p->kernel_w * depth};
    const int across_out = channels > depth;
    const positions at = {
        .rows = inside ? rows->count : 0,
        .columns = count,
        .row = across_out ? in : out,
        .lane = across_out ? out : in,
    };
    if (inside) {
        x += (rows->source * p->in_w + columns->source) * p->in_c;
        dy += (rows->first * p->out_w + columns->first) * p->out_c;
    }
    for (int32_t group = 0; group < p->groups; ++group) {
        matrix(&at, across_out ? x : dy, across_out ? dy : x, gathered, dw);
        x += depth;
        dy += channels;
        dw += channels * out.dw_step;
        gathered = gathered != NULL ? gathered + channels * out.dw_step : NULL;
    }
}

void KERNEL(conv2d, bwd_weight_rvv)(const mg_conv2d_params *p, const REAL *x, const REAL *dy,
                                    const REAL *gathered, REAL *dw) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const int32_t depth = p->in_c / p->groups;
    for (int32_t ky = 0; ky < p->kernel_h; ++ky) {
        const mg_span rows = mg_tap_span(&down, ky);
        for (int32_t kx = 0; kx < p->kernel_w; ++kx) {
            const mg_span columns = mg_tap_span(&across, kx);
            const int32_t tap = (ky * p->kernel_w + kx) * depth;
            all_groups(p, &rows, &columns, x, dy, gathered != NULL ? gathered + tap : NULL,
                       dw + tap);
        }
    }
}
