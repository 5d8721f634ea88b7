/* The body of the gradient of a convolution's weights; its input is that of input_real.h or
 * input_s8.h, which stands before it. */
#include "mg_cores.h"
#include "outer.h"
#include "span.h"

/* sums[i][j] += sum over k < n of a[k * a_step + i] * b[k * b_step + j], centred */
MG_INLINE void outer(int rows, int columns, int32_t n, const REAL *a, int32_t a_step,
                     const INPUT *b, int32_t b_step, const QUANT *q, mg_sums_f32 sums) {
    MG_ROLLED
    for (int32_t k = n / 2; k > 0; --k) {
        outer_step(rows, columns, &a, a_step, &b, b_step, q, sums);
        outer_step(rows, columns, &a, a_step, &b, b_step, q, sums);
    }
    if (n % 2 != 0) {
        outer_step(rows, columns, &a, a_step, &b, b_step, q, sums);
    }
}

/* The positions whose window has one tap inside the image. */
typedef struct {
    int32_t rows, columns;
    int32_t dy_column, dy_row, x_column, x_row; /* steps in elements */
    int contiguous;                             /* whether a row goes on where the last one ends */
} positions;

MG_INLINE void tile(int channels, int width, const positions *at, const QUANT *q, const REAL *dy,
                    const INPUT *x, const REAL *gathered, REAL *dw, int32_t dw_channel) {
    const int32_t block = MEMORY_BLOCK / at->columns + 1;
    int32_t left = at->rows;
    do {
        const int32_t rows = mg_min(left, block);
        mg_sums_f32 sums;
        mg_clear_f32(channels, width, sums);
        const int32_t together = at->contiguous ? rows : 1;
        MG_ROLLED
        for (int32_t row = 0; row < rows; row += together) {
            outer(channels, width, together * at->columns, dy, at->dy_column, x, at->x_column, q,
                  sums);
            dy += together * at->dy_row;
            x += together * at->x_row;
        }
        MG_UNROLLED
        for (int i = 0; i < channels; ++i) {
            MG_UNROLLED
            for (int j = 0; j < width; ++j) {
                const int32_t to = i * dw_channel + j;
                const float sum = scaled(q, sums[i][j]);
                dw[to] = (REAL)(gathered != NULL ? (float)gathered[to] + sum : sum);
            }
        }
        gathered = dw;
        left -= rows;
    } while (left > 0);
}

/* All input channels of one group for a few output channels. */
MG_INLINE void all_channels(int channels, int32_t depth, const positions *at, const QUANT *q,
                            const REAL *dy, const INPUT *x, const REAL *gathered, REAL *dw,
                            int32_t dw_channel) {
    for (int32_t left = depth; left > 0;) {
        const int32_t width = left >= MG_TILE ? MG_TILE : 1;
        if (width == MG_TILE) {
            tile(channels, MG_TILE, at, q, dy, x, gathered, dw, dw_channel);
        } else {
            tile(channels, 1, at, q, dy, x, gathered, dw, dw_channel);
        }
        x += width;
        gathered = gathered != NULL ? gathered + width : NULL;
        dw += width;
        left -= width;
    }
}

/* The weights of one tap or, of one group, of the neighbouring taps that `columns` counts:
 * some output channels of each group, and what `inputs` says of the inputs of all these taps. */
static void all_groups(const mg_conv2d_params *p, const QUANT *q, const mg_span *rows,
                       const mg_span *columns, const INPUT *x, const REAL *dy, const REAL *gathered,
                       REAL *dw, mg_part outputs, mg_part inputs) {
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const int32_t dw_channel = p->kernel_h * p->kernel_w * depth;
    const int32_t width = inputs.end - inputs.first;
    const int inside = rows->count > 0 && columns->count > 0;
    positions at = {
        .rows = inside ? rows->count : 0,
        .columns = inside ? columns->count : 1,
        .dy_row = p->out_w * p->out_c,
        .x_row = p->stride_h * p->in_w * p->in_c,
    };
    /* The positions of a single column follow each other as rows do. */
    at.dy_column = at.columns == 1 ? at.dy_row : p->out_c;
    at.x_column = at.columns == 1 ? at.x_row : p->stride_w * p->in_c;
    at.contiguous = at.columns * at.dy_column == at.dy_row && at.columns * at.x_column == at.x_row;
    if (inside) {
        x += (rows->source * p->in_w + columns->source) * p->in_c;
        dy += (rows->first * p->out_w + columns->first) * p->out_c;
    }
    x += inputs.first;
    dw += inputs.first;
    gathered = gathered != NULL ? gathered + inputs.first : NULL;
    for (int32_t group = 0; group < p->groups; ++group) {
        const int32_t end = group * channels + outputs.end;
        for (int32_t oc = group * channels + outputs.first; oc < end;) {
            const int32_t wide = end - oc >= MG_TILE ? MG_TILE : 1;
            const REAL *const base = gathered != NULL ? gathered + oc * dw_channel : NULL;
            if (wide == MG_TILE) {
                all_channels(MG_TILE, width, &at, q, dy + oc, x, base, dw + oc * dw_channel,
                             dw_channel);
            } else {
                all_channels(1, width, &at, q, dy + oc, x, base, dw + oc * dw_channel, dw_channel);
            }
            oc += wide;
        }
        x += depth;
    }
}

/* Of few input channels: all taps of a row that lie inside the image are taken together, and the
 * sums of columns that have others are added in memory. */
static inline void rows_of_taps(const mg_conv2d_params *p, const QUANT *q, const INPUT *x,
                                const REAL *dy, const REAL *gathered, REAL *dw) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const mg_grid grid = mg_tiles_grid(p->kernel_h, p->out_c);
    const mg_part taps = mg_share_rows(grid, p->kernel_h, 1);
    const mg_part outputs = mg_share_columns(grid, p->out_c, MG_TILE);
    const int32_t row = p->kernel_w * p->in_c;
    for (int32_t oc = outputs.first; oc < outputs.end; ++oc) {
        const int32_t end = (oc * p->kernel_h + taps.end) * row;
        for (int32_t i = (oc * p->kernel_h + taps.first) * row; i < end; ++i) {
            dw[i] = gathered != NULL ? gathered[i] : (REAL)0.0f;
        }
    }
    mg_span columns;
    for (int32_t ox = 0; ox < p->out_w; ox += columns.count) {
        columns = mg_forward_span(&across, ox);
        for (int32_t ky = taps.first; ky < taps.end; ++ky) {
            const mg_span rows = mg_tap_span(&down, ky);
            REAL *const to = dw + (ky * p->kernel_w + columns.tap) * p->in_c;
            all_groups(p, q, &rows, &columns, x, dy, to, to, outputs,
                       (mg_part){0, columns.taps * p->in_c});
        }
    }
}

static inline void weight_gradient(const mg_conv2d_params *p, const QUANT *q, const INPUT *x,
                                   const REAL *dy, const REAL *gathered, REAL *dw) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const int32_t depth = p->in_c / p->groups;
    if (REAL_IS_SINGLE && p->groups == 1 && depth < MG_TILE && p->dilation_w == 1) {
        rows_of_taps(p, q, x, dy, gathered, dw);
        return;
    }
    const int32_t channels = p->out_c / p->groups;
    const mg_grid grid = mg_tiles_grid((int32_t)mg_grains((uint32_t)channels, MG_TILE), depth);
    const mg_part outputs = mg_share_rows(grid, channels, MG_TILE);
    const mg_part inputs = mg_share_columns(grid, depth, MG_TILE);
    for (int32_t ky = 0; ky < p->kernel_h; ++ky) {
        const mg_span rows = mg_tap_span(&down, ky);
        for (int32_t kx = 0; kx < p->kernel_w; ++kx) {
            const mg_span columns = mg_tap_span(&across, kx);
            const int32_t tap = (ky * p->kernel_w + kx) * depth;
            all_groups(p, q, &rows, &columns, x, dy, gathered != NULL ? gathered + tap : NULL,
                       dw + tap, outputs, inputs);
        }
    }
}
