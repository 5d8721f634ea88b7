/* Vectors that lie one behind the other, each times a factor of each of a few results: what
 * convolutions share whose lanes are no channels of the result.
 *
 * Before it is included, REAL and its vectors are there, as by rvv_f16.h. */
#include "span.h"

#define RESULTS   3 /* whose sums the registers hold */
#define UNROLL    8
#define POSITIONS 128 /* of a band of rows at least, unless there are less */

static inline int32_t products_of(const mg_conv2d_params *p) {
    return p->kernel_h * p->kernel_w * p->in_c;
}

static inline int32_t rows_of_band(const mg_conv2d_params *p) {
    return mg_min(mg_ceil_div(POSITIONS, p->out_w), p->out_h);
}

/* Channels with those that make all parts whole. */
static inline int32_t parts_of(int32_t channels) {
    return mg_ceil_div(channels, RESULTS) * RESULTS;
}

/* to[r * to_row + i * to_step] = from[r * from_row + i * from_step], i < n */
MG_INLINE void copy_rows(int32_t rows, int32_t n, const REAL *from, int32_t from_row,
                         int32_t from_step, REAL *to, int32_t to_row, int32_t to_step) {
    size_t lanes;
    for (int32_t left = n; left > 0; left -= (int32_t)lanes) {
        lanes = mg_lanes(left);
        const REAL *source = from;
        REAL *result = to;
        MG_ROLLED
        for (int32_t r = 0; r < rows; ++r) {
            mg_store_apart(result, to_step, mg_load_apart(source, from_step, lanes), lanes);
            source += from_row;
            result += to_row;
        }
        from += (int32_t)lanes * from_step;
        to += (int32_t)lanes * to_step;
    }
}

/* The same; lanes are those of the longer side. */
static inline void copy(int32_t rows, int32_t n, const REAL *from, int32_t from_row,
                        int32_t from_step, REAL *to, int32_t to_row, int32_t to_step) {
    if (rows > n) {
        copy_rows(n, rows, from, from_step, from_row, to, to_step, to_row);
    } else {
        copy_rows(rows, n, from, from_row, from_step, to, to_row, to_step);
    }
}

/* to[r * row + i * step] = 0, i < n */
static inline void clear_rows(int32_t rows, int32_t n, REAL *to, int32_t row, int32_t step) {
    size_t lanes = mg_lanes(n);
    const mg_vector zeros = mg_rounded(mg_all(0.0f, lanes), lanes);
    for (int32_t left = n; left > 0; left -= (int32_t)lanes) {
        lanes = mg_lanes(left);
        REAL *result = to;
        MG_ROLLED
        for (int32_t r = 0; r < rows; ++r) {
            mg_store_apart(result, step, zeros, lanes);
            result += row;
        }
        to += (int32_t)lanes * step;
    }
}

MG_INLINE void add_vector(int results, const REAL *factors, mg_vector x, size_t n, mg_sums *first,
                          mg_sums *second, mg_sums *third) {
    *first = mg_add_scaled(*first, factors[0], x, n);
    if (results > 1) {
        *second = mg_add_scaled(*second, factors[1], x, n);
    }
    if (results > 2) {
        *third = mg_add_scaled(*third, factors[2], x, n);
    }
}

/* Returns where the next pair is. */
MG_INLINE const REAL *add_pair(int results, const REAL *factors, const REAL *x, int32_t step,
                               size_t n, mg_sums *first, mg_sums *second, mg_sums *third) {
    const mg_pair pair = mg_load_pair(x, n);
    add_vector(results, factors, mg_first(pair), n, first, second, third);
    add_vector(results, factors + RESULTS, mg_second(pair), n, first, second, third);
    x = mg_after(*first, x);
    if (results > 1) {
        x = mg_after(*second, x);
    }
    if (results > 2) {
        x = mg_after(*third, x);
    }
    return x + step;
}

/* Adds the pairs of vectors at x, x + step, ..., times factors [count][RESULTS]; of the last pair,
 * where count is odd, the first vector. */
MG_INLINE void add_run(int results, int32_t count, const REAL *factors, const REAL *x, int32_t step,
                       size_t n, mg_sums *first, mg_sums *second, mg_sums *third) {
    const REAL *const end = factors + count * RESULTS;
    const REAL *const paired = end - count % 2 * RESULTS;
    const REAL *const last = end - count % UNROLL * RESULTS;
    MG_ROLLED
    for (; factors != last; factors += UNROLL * RESULTS) {
        MG_UNROLLED
        for (int32_t u = 0; u < UNROLL; u += 2) {
            x = add_pair(results, factors + u * RESULTS, x, step, n, first, second, third);
        }
    }
    MG_ROLLED
    for (; factors != paired; factors += 2 * RESULTS) {
        x = add_pair(results, factors, x, step, n, first, second, third);
    }
    if (factors != end) {
        add_vector(results, factors, mg_load_apart(x, 2, n), n, first, second, third);
    }
}
