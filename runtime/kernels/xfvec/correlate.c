/* Correlations, six positions and four channels at a time.
 *
 * Windows are read where they are in x if all of them lie inside and their rows are words. Else
 * they are laid out, with zeros for padding: together if they are neighbours, or side by side. */
#include "correlate.h"
#include "dots.h"
#include "span.h"

/* A window in x: its first row and column. */
typedef struct {
    int32_t row, column;
} corner;

typedef struct {
    const mg_clamp_f32 *limits; /* NULL: none */
    const mg_f16 *w, *b;
    mg_reach reach;
    int32_t back;          /* from the last run's end to the window's start */
    int32_t taps;          /* rows of taps that are summed */
    int32_t first, rest;   /* halves of a row of w before and behind theirs */
    int32_t channels, row; /* halves of a row of w */
    int32_t step;          /* from position to position in y */
} layer;

size_t mg_windows_size(const mg_conv2d_params *p) {
    return (size_t)(MG_ROWS * mg_even(mg_products(p)));
}

/* Whether a window's taps of a row are neighbours in x, and all that they meet are words. */
static int in_words(const mg_conv2d_params *p) {
    return p->in_c % 2 == 0 && (p->dilation_w == 1 || p->kernel_w == 1);
}

/* `columns` taps of each of a window's rows. */
static void lay_out(const mg_conv2d_params *p, const mg_f16 *x, corner from, int32_t rows,
                    int32_t columns, mg_f16 *to) {
    const int32_t depth = p->in_c, step = p->dilation_w;
    const int32_t low = from.column < 0 ? mg_min(mg_ceil_div(-from.column, step), columns) : 0;
    const int32_t high = mg_max(mg_min(mg_ceil_div(p->in_w - from.column, step), columns), low);
    MG_ROLLED
    for (int32_t y = from.row; rows > 0; --rows, y += p->dilation_h, to += columns * depth) {
        if (y < 0 || y >= p->in_h) {
            mg_clear_halves(columns * depth, to);
            continue;
        }
        const mg_f16 *source = x + (y * p->in_w + from.column + low * step) * depth;
        if (low > 0) {
            mg_clear_halves(low * depth, to);
        }
        if (step == 1) {
            mg_copy_halves((high - low) * depth, source, to + low * depth);
        } else {
            for (int32_t kx = low; kx < high; ++kx, source += step * depth) {
                mg_copy_halves(depth, source, to + kx * depth);
            }
        }
        if (high < columns) {
            mg_clear_halves((columns - high) * depth, to + high * depth);
        }
    }
}

MG_INLINE void start(int rows, int columns, const mg_f16 *b, mg_sums sums) {
    MG_UNROLLED
    for (int j = 0; j < columns; ++j) {
        const float bias = (float)b[j];
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            sums[i][j] = bias;
        }
    }
}

/* For what is not done in pairs. */
MG_APART void limit(int columns, const mg_clamp_f32 *q, mg_f16 *y) {
    MG_ROLLED
    for (int j = 0; j < columns; ++j) {
        y[j] = (mg_f16)mg_limit_f32((float)y[j], *q);
    }
}

MG_INLINE void limit_rows(int rows, int columns, const mg_clamp_f32 *q, mg_f16 *y, int32_t step) {
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        limit(columns, q, y + i * step);
    }
}

/* Limits of pairs would make a number of what is none: then they are taken one by one. */
MG_INLINE void finish_words(int rows, int columns, const mg_clamp_f32 *q, mg_sums sums, mg_f16 *y,
                            int32_t step) {
    mg_halves two[MG_ROWS][MG_COLUMNS / 2];
    int limited = q != NULL;
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        MG_UNROLLED
        for (int j = 0; j < columns; j += 2) {
            two[i][j / 2] = mg_pack(sums[i][j], sums[i][j + 1]);
        }
    }
    if (limited) {
        const mg_halves zeros = mg_pack(0, 0);
        float zero = 0;
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            MG_UNROLLED
            for (int j = 0; j < columns; j += 2) {
                zero = mg_add_products(zero, two[i][j / 2], zeros);
            }
        }
        limited = zero == 0;
    }
    if (limited) {
        const mg_halves low = mg_pack(q->low, q->low), high = mg_pack(q->high, q->high);
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            MG_UNROLLED
            for (int j = 0; j < columns; j += 2) {
                two[i][j / 2] = mg_smaller(mg_larger(two[i][j / 2], low), high);
            }
        }
    }
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        MG_UNROLLED
        for (int j = 0; j < columns; j += 2) {
            mg_store_halves(y + i * step + j, two[i][j / 2]);
        }
    }
    if (q != NULL && !limited) {
        limit_rows(rows, columns, q, y, step);
    }
}

MG_INLINE void finish(int rows, int columns, const mg_clamp_f32 *q, mg_sums sums, mg_f16 *y,
                      int32_t step) {
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        MG_UNROLLED
        for (int j = 0; j < columns; ++j) {
            y[i * step + j] = (mg_f16)sums[i][j];
        }
    }
    if (q != NULL) {
        limit_rows(rows, columns, q, y, step);
    }
}

/* The results of the next channels; w moves on behind them. */
MG_INLINE void tile(int rows, int columns, const layer *l, const mg_f16 **windows, const mg_f16 **w,
                    const mg_f16 *b, mg_f16 *y) {
    mg_sums sums;
    start(rows, columns, b, sums);
    mg_dots(rows, columns, l->reach, windows, w, sums);
    mg_move(rows, windows, l->back);
    mg_move(columns, w, (columns - 1) * l->row + l->first + l->rest);
    if (columns % 2 == 0 && l->channels % 2 == 0) {
        finish_words(rows, columns, l->limits, sums, y, l->step);
    } else {
        finish(rows, columns, l->limits, sums, y, l->step);
    }
}

MG_INLINE void channels(int rows, const layer *l, const mg_f16 **windows, mg_f16 *y) {
    static const mg_f16 zeros[MG_COLUMNS];
    const mg_f16 *w[MG_COLUMNS], *b = l->b != NULL ? l->b : zeros;
    const int32_t b_step = l->b != NULL;
    int32_t left = l->channels;
    MG_UNROLLED
    for (int j = 0; j < MG_COLUMNS; ++j) {
        w[j] = l->w + l->first + j * l->row;
    }
    MG_ROLLED
    for (; left >= MG_COLUMNS; left -= MG_COLUMNS, b += MG_COLUMNS * b_step, y += MG_COLUMNS) {
        tile(rows, MG_COLUMNS, l, windows, w, b, y);
    }
    MG_ROLLED
    for (; left > 0; --left, b += b_step, ++y) {
        tile(rows, 1, l, windows, w, b, y);
    }
}

/* A position of the result: its number in its row, and the corner of its window with its offset
 * in x. */
typedef struct {
    int32_t across, offset;
    corner at;
} place;

/* The first of a row whose windows begin with a row of taps. */
static place place_of(const mg_conv2d_params *p, int32_t down, int32_t tap) {
    const corner at = {down * p->stride_h - p->pad_top + tap * p->dilation_h, -p->pad_left};
    return (place){0, (at.row * p->in_w + at.column) * p->in_c, at};
}

MG_INLINE place behind(const mg_conv2d_params *p, place it) {
    it.at.column += p->stride_w;
    it.offset += p->stride_w * p->in_c;
    if (++it.across == p->out_w) {
        it.across = 0;
        it.at.column = -p->pad_left;
        it.at.row += p->stride_h;
        it.offset += (p->stride_h * p->in_w - p->out_w * p->stride_w) * p->in_c;
    }
    return it;
}

MG_INLINE void positions(int rows, const mg_conv2d_params *p, layer *l, mg_f16 *work,
                         const mg_f16 *x, place *next, mg_f16 *y) {
    const int32_t row = p->kernel_w * p->in_c, line = p->in_w * p->in_c;
    const int32_t together = (rows - 1) * p->stride_w + p->kernel_w; /* columns of all windows */
    const uint32_t low = (uint32_t)mg_max(p->in_h - (l->taps - 1) * p->dilation_h, 0);
    const uint32_t right = (uint32_t)mg_max(p->in_w - (p->kernel_w - 1) * p->dilation_w, 0);
    const int words = in_words(p), neighbours = next->across + rows <= p->out_w;
    int inside = words;
    const mg_f16 *windows[MG_ROWS];
    place at[MG_ROWS];
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        at[i] = *next;
        windows[i] = x + next->offset;
        inside &= ((uint32_t)next->at.row < low) & ((uint32_t)next->at.column < right);
        *next = behind(p, *next);
    }
    if (inside) {
        l->reach = (mg_reach){l->taps, row, p->dilation_h * line - row, 0};
    } else {
        const int strip = words && neighbours && p->stride_w <= p->kernel_w && p->dilation_w == 1;
        const int32_t step = strip ? p->stride_w * p->in_c : l->row;
        l->reach = strip ? (mg_reach){l->taps, row, together * p->in_c - row, 0}
                         : (mg_reach){1, l->row - l->first - l->rest, 0, 0};
        for (int i = 0; i < (strip ? 1 : rows); ++i) {
            lay_out(p, x, at[i].at, l->taps, strip ? together : p->kernel_w, work + i * step);
        }
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            windows[i] = work + i * step;
        }
    }
    l->back = l->reach.a_step - l->reach.runs * (l->reach.length + l->reach.a_step);
    channels(rows, l, windows, y);
}

/* Leaves out the rows of taps that lie outside the image. Gives the first that does not; where all
 * lie outside any will do, whose windows are zeros. */
static int32_t choose_taps(const mg_conv2d_params *p, int32_t down, layer *l) {
    const mg_axis rows = mg_rows(p);
    const mg_span span = mg_forward_taps(&rows, down);
    if (span.taps == 0) {
        return 0;
    }
    const int32_t row = p->kernel_w * p->in_c;
    l->taps = span.taps;
    l->first = span.tap * row;
    l->rest = l->row - l->first - span.taps * row;
    return span.tap;
}

void mg_correlate(const mg_conv2d_params *p, const mg_clamp_f32 *q, mg_f16 *work, const mg_f16 *x,
                  const mg_f16 *w, const mg_f16 *b, const mg_spread *y) {
    layer l = {
        .limits = q != NULL && mg_limits_f32(*q) ? q : NULL,
        .w = w,
        .b = b,
        .channels = p->out_c,
        .row = mg_even(mg_products(p)),
        .taps = p->kernel_h,
        .step = y->column,
    };
    /* A row of all positions, where windows of its own need not be neighbours. */
    const int one =
        y->row == p->out_w * y->column && (p->kernel_h * p->kernel_w == 1 || p->out_w < MG_COLUMNS);
    const int32_t rows = one ? mg_min(p->out_h, 1) : p->out_h;
    for (int i = 0; i < MG_ROWS && mg_products(p) != l.row; ++i) {
        work[(i + 1) * l.row - 1] = 0; /* which makes a row even */
    }
    MG_ROLLED
    for (int32_t down = 0; down < rows; ++down) {
        place next = place_of(p, down, one || !in_words(p) ? 0 : choose_taps(p, down, &l));
        mg_f16 *to = y->first + down * y->row;
        int32_t left = one ? p->out_h * p->out_w : p->out_w;
        MG_ROLLED
        for (int32_t taken; left > 0; left -= taken, to += taken * y->column) {
            taken = mg_tile_rows(left);
            if (taken == MG_ROWS) {
                positions(MG_ROWS, p, &l, work, x, &next, to);
            } else if (taken == MG_COLUMNS) {
                positions(MG_COLUMNS, p, &l, work, x, &next, to);
            } else {
                positions(1, p, &l, work, x, &next, to);
            }
        }
    }
}
