/* The body of the gradient of a float convolution's weights of few channels: lanes are the products
 * of a window, and the weights of three output channels are summed at once. Windows are laid out
 * for a band of rows at a time, each column with its rows, zeros for padding: so that those of
 * neighbouring positions share columns. The windows of a row in the first half of the band and of
 * its like in the second take turns: one instruction loads both. Sums of bands are kept in single
 * precision. */
#include "run.h"
#include "span.h"

typedef struct {
    REAL *windows; /* [pairs of a band's rows][columns][kernel_h][in_c][2] */
    REAL *factors; /* parts of [pairs of a band's rows][out_w][2][RESULTS] */
    float *sums;   /* [out_c][kernel_w][kernel_h][in_c] */
} workspace;

static inline int32_t columns_of(const mg_conv2d_params *p) {
    return (p->out_w - 1) * p->stride_w + p->kernel_w;
}

/* Elements of what windows of two rows are made of. */
static inline int32_t pair_of(const mg_conv2d_params *p) {
    return columns_of(p) * p->kernel_h * p->in_c * 2;
}

/* Elements of the windows of a band. */
static inline int32_t windows_size(const mg_conv2d_params *p) {
    return mg_ceil_div(rows_of_band(p), 2) * pair_of(p);
}

size_t KERNEL(conv2d, bwd_weight_rvv_windows_scratch_size)(const mg_conv2d_params *p) {
    const int32_t factors = mg_ceil_div(rows_of_band(p), 2) * 2 * p->out_w * parts_of(p->out_c);
    return (size_t)(p->out_c * products_of(p)) * sizeof(float) +
           (size_t)(windows_size(p) + factors) * sizeof(REAL);
}

/* The rows of taps of one row of windows. Columns that are padding are zeros already. */
static inline void lay_out(const mg_conv2d_params *p, int32_t down, const REAL *x, REAL *to) {
    const int32_t column = p->kernel_h * p->in_c * 2;
    const int32_t left = mg_min(p->pad_left, columns_of(p));
    const int32_t end = mg_max(mg_min(columns_of(p), p->in_w + p->pad_left), left);
    for (int32_t ky = 0; ky < p->kernel_h; ++ky, to += p->in_c * 2) {
        const int32_t y = down * p->stride_h - p->pad_top + ky * p->dilation_h;
        if (y < 0 || y >= p->in_h) {
            clear_rows(columns_of(p), p->in_c, to, column, 2);
        } else {
            const int32_t first = y * p->in_w + left - p->pad_left;
            copy(end - left, p->in_c, x + first * p->in_c, p->in_c, 1, to + left * column, column,
                 2);
        }
    }
}

/* Adds what the positions of some pairs of rows give to the weights of some output channels. */
MG_INLINE void tile(int results, const mg_conv2d_params *p, int32_t pairs, const REAL *windows,
                    const REAL *factors, float *sums) {
    const int32_t products = products_of(p), step = p->stride_w * p->kernel_h * p->in_c * 2;
    const int32_t count = p->out_w * 2, line = pair_of(p);
    size_t n;
    for (int32_t left = products; left > 0; left -= (int32_t)n) {
        n = mg_lanes(left);
        mg_sums first = mg_load_sums(sums, n), second = first, third = first;
        if (results > 1) {
            second = mg_load_sums(sums + products, n);
        }
        if (results > 2) {
            third = mg_load_sums(sums + 2 * products, n);
        }
        const REAL *row = windows, *factor = factors;
        MG_ROLLED
        for (int32_t down = pairs; down > 0; --down, row += line, factor += count * RESULTS) {
            add_run(results, count, factor, row, step, n, &first, &second, &third);
        }
        mg_store_sums(sums, first, n);
        if (results > 1) {
            mg_store_sums(sums + products, second, n);
        }
        if (results > 2) {
            mg_store_sums(sums + 2 * products, third, n);
        }
        windows += 2 * n;
        sums += n;
    }
}

/* The positions of a band, the first of whose rows is `down`. */
static inline void add_band(const mg_conv2d_params *p, int32_t down, int32_t rows, const REAL *x,
                            const REAL *dy, const workspace *s) {
    const int32_t pairs = mg_ceil_div(rows, 2), half = pairs * p->out_w;
    for (int32_t row = 0; row < rows; ++row) {
        lay_out(p, down + row, x, s->windows + row % pairs * pair_of(p) + row / pairs);
    }
    if (rows % 2 != 0) { /* the last pair has no second row */
        clear_rows(1, pair_of(p) / 2, s->windows + (pairs - 1) * pair_of(p) + 1, 0, 2);
        clear_rows(mg_ceil_div(p->out_c, RESULTS), p->out_w * 2 * RESULTS,
                   s->factors + (pairs - 1) * p->out_w * 2 * RESULTS, half * 2 * RESULTS, 1);
    }
    dy += down * p->out_w * p->out_c;
    for (int32_t c = 0, taken; c < p->out_c; c += taken) {
        taken = mg_min(p->out_c - c, RESULTS);
        REAL *const factors = s->factors + c * half * 2;
        float *const sums = s->sums + c * products_of(p);
        copy(taken, half, dy + c, 1, p->out_c, factors, 1, 2 * RESULTS);
        copy(taken, rows * p->out_w - half, dy + half * p->out_c + c, 1, p->out_c,
             factors + RESULTS, 1, 2 * RESULTS);
        if (taken == 3) {
            tile(3, p, pairs, s->windows, factors, sums);
        } else if (taken == 2) {
            tile(2, p, pairs, s->windows, factors, sums);
        } else {
            tile(1, p, pairs, s->windows, factors, sums);
        }
    }
}

/* n zeros */
static inline void clear_sums(int32_t n, float *sums) {
    size_t lanes;
    for (; n > 0; n -= (int32_t)lanes, sums += lanes) {
        lanes = mg_lanes(n);
        mg_store_sums(sums, mg_all(0.0f, lanes), lanes);
    }
}

/* One tap of all output channels. */
static inline void finish(const mg_conv2d_params *p, const float *sums, const REAL *gathered,
                          REAL *dw) {
    const int32_t products = products_of(p);
    size_t n;
    for (int32_t c = 0; c < p->in_c; c += (int32_t)n) {
        n = mg_lanes(p->in_c - c);
        int32_t at = c;
        MG_ROLLED
        for (int32_t left = p->out_c; left > 0; --left, at += products) {
            mg_sums all = mg_load_sums(sums + at, n);
            if (gathered != NULL) {
                all = mg_add_scaled(all, (REAL)1.0f, mg_load(gathered + at, n), n);
            }
            mg_store(dw + at, mg_rounded(all, n), n);
        }
    }
}

void KERNEL(conv2d, bwd_weight_rvv_windows)(void *scratch, const mg_conv2d_params *p, const REAL *x,
                                            const REAL *dy, const REAL *gathered, REAL *dw) {
    const int32_t band = rows_of_band(p), depth = p->in_c, sums = p->out_c * products_of(p);
    workspace s = {.sums = scratch};
    s.windows = (REAL *)(void *)(s.sums + sums);
    s.factors = s.windows + windows_size(p);
    clear_sums(sums, s.sums);
    clear_rows(1, windows_size(p), s.windows, 0, 1);
    for (int32_t down = 0; down < p->out_h; down += band) {
        add_band(p, down, mg_min(band, p->out_h - down), x, dy, &s);
    }
    for (int32_t ky = 0; ky < p->kernel_h; ++ky) {
        for (int32_t kx = 0; kx < p->kernel_w; ++kx) {
            finish(p, s.sums + (kx * p->kernel_h + ky) * depth, gathered, dw);
            gathered = gathered != NULL ? gathered + depth : NULL;
            dw += depth;
        }
    }
}
