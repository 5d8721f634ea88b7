/* The gradient of a half depthwise convolution's weights: vectors are neighbouring channels. The
 * taps of a row share the gradients and the columns of x where the window is three wide and moves
 * by one; else each tap goes alone. */
#include "depthwise_conv2d_window.h"
#include "tile_f16.h"

#define TAPS MG_TILE_ROWS

/* The rows that see some taps, and their results in each; steps from a column to the next, and from
 * a row's first to the next row's. */
typedef struct {
    int32_t rows, columns, x_column, x_row, dy_column, dy_row;
    int left, right; /* whether a row's first and last column of x lie outside */
} positions;

/* The sums so far, those gathered before included. */
MG_INLINE void finish(int taps, int32_t count, const mg_tile_f16 *t, int32_t step,
                      const mg_f16 *gathered, mg_f16 *dw) {
    MG_UNROLLED
    for (int k = 0; k < taps; ++k) {
        mg_singles sums = mg_total(t, k, 0);
        if (gathered != NULL) {
            sums = mg_add_halves(sums, mg_load_first(gathered + k * step, count));
        }
        mg_store_first(dw + k * step, mg_rounded(sums), count);
    }
}

static const float zeros[MG_HALVES];

/* One tap, of `count` channels. */
MG_APART void one_tap(const positions *at, int32_t count, const mg_f16 *x, const mg_f16 *dy,
                      const mg_f16 *gathered, mg_f16 *dw) {
    const int32_t x_step = at->x_column, dy_step = at->dy_column;
    float total[MG_TILE_SUMS];
    mg_tile_f16 t;
    mg_start_tile(1, 1, zeros, total, &t);
    for (int32_t row = at->rows; row > 0; --row) {
        const mg_f16 *a = x, *b = dy;
        for (int32_t left = at->columns; left > 0;) {
            const int32_t n = mg_make_room(1, 1, left, &t);
            MG_ROLLED
            for (int32_t i = n; i > 0; --i) {
                const mg_halves column = mg_load_first(a, count);
                t.sums[0][0] = mg_add_products(t.sums[0][0], column, mg_load_first(b, count));
                a += x_step;
                b += dy_step;
            }
            left -= n;
        }
        x += at->x_row;
        dy += at->dy_row;
    }
    finish(1, count, &t, 0, gathered, dw);
}

/* Adds the products of a position, whose columns are x0, x1 and what is at x. */
MG_INLINE void add_position(mg_halves x0, mg_halves x1, mg_halves *x2, const mg_f16 *x,
                            const mg_f16 *dy, mg_tile_f16 *t) {
    const mg_halves gradient = mg_load(dy);
    *x2 = mg_load(x);
    t->sums[0][0] = mg_add_products(t->sums[0][0], x0, gradient);
    t->sums[1][0] = mg_add_products(t->sums[1][0], x1, gradient);
    t->sums[2][0] = mg_add_products(t->sums[2][0], *x2, gradient);
}

/* Three taps of eight channels; x: at the first column, inside or not. */
MG_APART void three_taps(const positions *at, const mg_f16 *x, const mg_f16 *dy,
                         const mg_f16 *gathered, mg_f16 *dw) {
    const int32_t step = at->x_column;
    float total[MG_TILE_SUMS];
    mg_tile_f16 t;
    mg_start_tile(TAPS, 1, zeros, total, &t);
    for (int32_t row = at->rows; row > 0; --row) {
        const mg_f16 *a = x + 2 * step, *b = dy;
        mg_halves x0 = at->left ? mg_no_halves() : mg_load(x), x1 = mg_load(x + step), x2;
        for (int32_t left = at->columns - at->right; left > 0;) {
            int32_t n = mg_make_room(TAPS, 1, left, &t);
            left -= n;
            MG_ROLLED
            for (; n >= 3; n -= 3) {
                add_position(x0, x1, &x2, a, b, &t);
                add_position(x1, x2, &x0, a + step, b + step, &t);
                add_position(x2, x0, &x1, a + 2 * step, b + 2 * step, &t);
                a += 3 * step;
                b += 3 * step;
            }
            MG_ROLLED
            for (; n > 0; --n) {
                add_position(x0, x1, &x2, a, b, &t);
                x0 = x1;
                x1 = x2;
                a += step;
                b += step;
            }
        }
        if (at->right) {
            const mg_halves gradient = mg_load(b);
            mg_make_room(TAPS, 1, 1, &t);
            t.sums[0][0] = mg_add_products(t.sums[0][0], x0, gradient);
            t.sums[1][0] = mg_add_products(t.sums[1][0], x1, gradient);
        }
        x += at->x_row;
        dy += at->dy_row;
    }
    finish(TAPS, MG_HALVES, &t, step, gathered, dw);
}

/* Whether three_taps() serves: no row sees more than one column on either side outside. */
static inline int in_threes(const mg_conv2d_params *p) {
    const int32_t right = p->out_w - p->pad_left + 2 - p->in_w;
    return p->kernel_w == 3 && p->stride_w == 1 && p->dilation_w == 1 && 0 <= p->pad_left &&
           p->pad_left <= 1 && 0 <= right && right <= 1 && p->in_w >= 2;
}

static inline const mg_f16 *at_or_null(const mg_f16 *gathered, int32_t offset) {
    return gathered != NULL ? gathered + offset : NULL;
}

/* The taps of a row of the window. */
static void all_taps(const mg_conv2d_params *p, int32_t ky, const mg_f16 *x, const mg_f16 *dy,
                     const mg_f16 *gathered, mg_f16 *dw) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const mg_span rows = mg_tap_span(&down, ky);
    positions at = {
        .rows = rows.count,
        .columns = p->out_w,
        .x_column = p->stride_w * p->in_c,
        .x_row = p->stride_h * p->in_w * p->in_c,
        .dy_column = p->in_c,
        .dy_row = p->out_w * p->in_c,
        .left = p->pad_left > 0,
        .right = p->out_w - p->pad_left + 2 > p->in_w,
    };
    x += rows.count > 0 ? rows.source * p->in_w * p->in_c : 0;
    dy += rows.count > 0 ? rows.first * p->out_w * p->in_c : 0;
    const int32_t whole = in_threes(p) ? p->in_c / MG_HALVES * MG_HALVES : 0;
    for (int32_t c = 0; c < whole; c += MG_HALVES) {
        three_taps(&at, x + c - p->pad_left * p->in_c, dy + c, at_or_null(gathered, c), dw + c);
    }
    for (int32_t kx = 0; kx < p->kernel_w; ++kx) {
        const mg_span columns = mg_tap_span(&across, kx);
        const int inside = rows.count > 0 && columns.count > 0;
        const int32_t from = inside ? columns.source * p->in_c : 0;
        const int32_t to = inside ? columns.first * p->in_c : 0;
        at.columns = columns.count;
        for (int32_t c = whole; c < p->in_c; c += MG_HALVES) {
            const int32_t tap = kx * p->in_c + c;
            one_tap(&at, p->in_c - c, x + from + c, dy + to + c, at_or_null(gathered, tap),
                    dw + tap);
        }
    }
}

void mg_depthwise_conv2d_f16_bwd_weight_mve(const mg_conv2d_params *p, const mg_f16 *x,
                                            const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw) {
    const int32_t row = p->kernel_w * p->in_c;
    for (int32_t ky = 0; ky < p->kernel_h; ++ky) {
        all_taps(p, ky, x, dy, at_or_null(gathered, ky * row), dw + ky * row);
    }
}
