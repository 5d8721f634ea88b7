/* The gradient of a convolution's weights in half precision: products are summed over positions,
 * so both operands are turned first, and those of a channel lie side by side. Of x, up to six
 * columns (a tap's input channels, then the next tap's of the row) are turned at a time, and rows
 * that a tap meets one after the other are neighbours. */
#include "dots.h"
#include "halves.h"
#include "span.h"

typedef struct {
    const mg_conv2d_params *p;
    const mg_f16 *x, *dy; /* turned */
    const mg_f16 *gathered;
    mg_f16 *dw;
    int32_t line, plane, columns; /* halves of turned rows and planes of x; columns of w */
} operands;

/* Without a window an image is but one row. */
static mg_conv2d_params flat(const mg_conv2d_params *p) {
    mg_conv2d_params row = *p;
    if (p->kernel_h * p->kernel_w == 1 && p->in_h * p->in_w == p->out_h * p->out_w &&
        p->pad_top + p->pad_left == 0) {
        row.in_w = row.out_w = p->out_h * p->out_w;
        row.in_h = row.out_h = 1;
    }
    return row;
}

static int32_t line_of(const mg_conv2d_params *p) {
    return mg_even(p->out_w);
}

/* Rows of a turned plane of x, and where one is in it. */
static int32_t rows_of(const mg_conv2d_params *p) {
    return mg_ceil_div(p->in_h, p->stride_h) * p->stride_h;
}

static int32_t place_of(const mg_conv2d_params *p, int32_t y) {
    return y % p->stride_h * mg_ceil_div(p->in_h, p->stride_h) + y / p->stride_h;
}

size_t mg_conv2d_f16_bwd_weight_xfvec_scratch_size(const mg_conv2d_params *shape) {
    const mg_conv2d_params p = flat(shape);
    const int32_t rows = p.out_c * p.out_h + MG_ROWS * rows_of(&p);
    return (size_t)(rows * line_of(&p)) * sizeof(mg_f16);
}

/* Channels of an image's row, at `count` positions from the first on that it has. */
static void turn_row(int32_t count, int32_t channels, const mg_f16 *from, int32_t step,
                     int32_t line, mg_f16 *to, int32_t plane) {
    for (int32_t c = 0; line != count && c < channels; ++c) {
        mg_clear_halves(line - count, to + c * plane + count);
    }
    mg_turn_halves(count, channels, from, step, to, plane);
}

static void turn_dy(const mg_conv2d_params *p, const mg_f16 *dy, mg_f16 *to) {
    const int32_t line = line_of(p);
    for (int32_t y = 0; y < p->out_h; ++y) {
        turn_row(p->out_w, p->out_c, dy + y * p->out_w * p->out_c, p->out_c, line, to + y * line,
                 p->out_h * line);
    }
}

/* Whether a tap meets row y of x. */
static int is_met(const mg_conv2d_params *p, int32_t y) {
    for (int32_t ky = 0; ky < p->kernel_h; ++ky) {
        const int32_t first = y + p->pad_top - ky * p->dilation_h;
        if (first >= 0 && first % p->stride_h == 0 && first / p->stride_h < p->out_h) {
            return 1;
        }
    }
    return 0;
}

/* What tap kx meets of these channels. */
static void turn_x(const mg_conv2d_params *p, int32_t kx, int32_t channels, const mg_f16 *x,
                   mg_f16 *to) {
    const int32_t line = line_of(p), plane = rows_of(p) * line;
    const mg_axis across = mg_columns(p);
    const mg_span span = mg_tap_span(&across, kx);
    for (int32_t y = 0; y < p->in_h; ++y) {
        mg_f16 *const row = to + place_of(p, y) * line;
        if (!is_met(p, y)) {
            continue;
        }
        const mg_f16 *const from = x + (y * p->in_w + span.source) * p->in_c;
        for (int32_t c = 0; span.first != 0 && c < channels; ++c) {
            mg_clear_halves(span.first, row + c * plane);
        }
        turn_row(span.count, channels, from, p->stride_w * p->in_c, line - span.first,
                 row + span.first, plane);
    }
}

/* The rows of a tile are columns of w, and its columns channels of dy.
 * first: of dw's; step: from channel to channel in it */
MG_INLINE void finish(int rows, int columns, const operands *o, int32_t first, int32_t step,
                      mg_sums sums) {
    MG_UNROLLED
    for (int j = 0; j < columns; ++j) {
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            const int32_t at = first + j * step + i;
            const float before = o->gathered != NULL ? (float)o->gathered[at] : 0.0F;
            o->dw[at] = (mg_f16)(sums[i][j] + before);
        }
    }
}

MG_INLINE void tile(int rows, int columns, const operands *o, mg_reach reach, const mg_f16 *x,
                    const mg_f16 *dy, int32_t first) {
    const mg_conv2d_params *const p = o->p;
    const mg_f16 *a[MG_ROWS], *b[MG_COLUMNS];
    mg_sums sums;
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        a[i] = x + i * o->plane;
        MG_UNROLLED
        for (int j = 0; j < columns; ++j) {
            sums[i][j] = 0;
        }
    }
    MG_UNROLLED
    for (int j = 0; j < columns; ++j) {
        b[j] = dy + j * p->out_h * o->line;
    }
    mg_dots(rows, columns, reach, a, b, sums);
    finish(rows, columns, o, first, p->kernel_h * o->columns, sums);
}

/* The columns of w that are turned, the first of which is `column`, for all channels of dy. */
MG_INLINE void channels(int rows, const operands *o, int32_t column) {
    const mg_conv2d_params *const p = o->p;
    const mg_axis down = mg_rows(p);
    const int32_t plane = p->out_h * o->line;
    MG_ROLLED
    for (int32_t ky = 0; ky < p->kernel_h; ++ky) {
        const mg_span span = mg_tap_span(&down, ky);
        const mg_reach reach = {1, span.count * o->line, 0, 0};
        const mg_f16 *dy = o->dy + span.first * o->line;
        const mg_f16 *const x = o->x + place_of(p, span.source) * o->line;
        int32_t first = ky * o->columns + column, channel = 0;
        MG_ROLLED
        for (; channel + MG_COLUMNS <= p->out_c; channel += MG_COLUMNS) {
            tile(rows, MG_COLUMNS, o, reach, x, dy, first);
            first += MG_COLUMNS * p->kernel_h * o->columns;
            dy += MG_COLUMNS * plane;
        }
        MG_ROLLED
        for (; channel < p->out_c; ++channel) {
            tile(rows, 1, o, reach, x, dy, first);
            first += p->kernel_h * o->columns;
            dy += plane;
        }
    }
}

void mg_conv2d_f16_bwd_weight_xfvec(void *scratch, const mg_conv2d_params *shape, const mg_f16 *x,
                                    const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw) {
    const mg_conv2d_params row = flat(shape), *const p = &row;
    const int32_t line = line_of(p), plane = rows_of(p) * line, columns = p->kernel_w * p->in_c;
    mg_f16 *const planes = scratch, *const turned = planes + MG_ROWS * plane;
    const operands o = {p, planes, turned, gathered, dw, line, plane, columns};
    turn_dy(p, dy, turned);
    for (int32_t column = 0, taken; column < columns; column += taken) {
        taken = mg_tile_rows(columns - column);
        for (int32_t j = 0, run; j < taken; j += run) {
            const int32_t channel = (column + j) % p->in_c;
            run = mg_min(taken - j, p->in_c - channel);
            turn_x(p, (column + j) / p->in_c, run, x + channel, planes + j * plane);
        }
        if (taken == MG_ROWS) {
            channels(MG_ROWS, &o, column);
        } else if (taken == MG_COLUMNS) {
            channels(MG_COLUMNS, &o, column);
        } else {
            channels(1, &o, column);
        }
    }
}
