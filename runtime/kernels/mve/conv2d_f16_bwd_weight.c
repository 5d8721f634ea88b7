/* The gradient of a half convolution's weights. A tap's weights are a matrix, the sum over
 * positions of the products of the channels of both sides. Lanes are those of the side whose
 * vectors are fuller. */
#include "span.h"
#include "tile_f16.h"

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

/* One vector has but `count` channels. */
MG_INLINE void add_position(int rows, int vectors, int32_t count, const mg_f16 *a, const mg_f16 *b,
                            mg_tile_f16 *t) {
    mg_halves lanes[MG_TILE_VECTORS];
    MG_UNROLLED
    for (int j = 0; j < vectors; ++j) {
        lanes[j] = vectors == 1 ? mg_load_first(b, count) : mg_load(b + j * MG_HALVES);
    }
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        mg_add_row(i, vectors, a + i, lanes, t);
    }
}

/* n positions of a row */
MG_INLINE void add_positions(int rows, int vectors, int32_t n, int32_t count, int32_t a_step,
                             int32_t b_step, const mg_f16 *a, const mg_f16 *b, mg_tile_f16 *t) {
    MG_ROLLED
    for (uint32_t rest = (uint32_t)n % MG_UNROLL; rest > 0; --rest) {
        add_position(rows, vectors, count, a, b, t);
        a += a_step;
        b += b_step;
    }
    MG_ROLLED
    for (uint32_t whole = (uint32_t)n / MG_UNROLL; whole > 0; --whole) {
        MG_UNROLLED
        for (int k = 0; k < MG_UNROLL; ++k) {
            add_position(rows, vectors, count, a, b, t);
            a += a_step;
            b += b_step;
        }
    }
}

/* Lanes that are neighbours in dw go there as they are. */
MG_INLINE void finish(mg_singles sums, int32_t step, int32_t count, const mg_f16 *gathered,
                      mg_f16 *dw) {
    const mg_places to = {step, count};
    if (gathered != NULL) {
        sums = mg_add_halves(sums, mg_load_apart(gathered, to));
    }
    if (step == 1) {
        mg_store_first(dw, mg_rounded(sums), count);
    } else {
        mg_store_apart(dw, to, mg_rounded(sums));
    }
}

/* Some rows of the matrix and `count` lanes, which fill two vectors or lie in one. */
MG_INLINE void tile(int rows, int vectors, int32_t count, const positions *at, const mg_f16 *a,
                    const mg_f16 *b, const mg_f16 *gathered, mg_f16 *dw) {
    static const float zeros[MG_TILE_LANES];
    const int32_t a_step = at->row.column, b_step = at->lane.column;
    float total[MG_TILE_SUMS];
    mg_tile_f16 t;
    mg_start_tile(rows, vectors, zeros, total, &t);
    MG_ROLLED
    for (int32_t row = at->rows; row > 0; --row) {
        MG_ROLLED
        for (int32_t left = at->columns; left > 0;) {
            const int32_t n = mg_make_room(rows, vectors, left, &t);
            add_positions(rows, vectors, n, count, a_step, b_step, a, b, &t);
            a += n * a_step;
            b += n * b_step;
            left -= n;
        }
        a += at->row.row;
        b += at->lane.row;
    }
    const int32_t step = at->lane.dw_step;
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        MG_UNROLLED
        for (int j = 0; j < vectors; ++j) {
            const int32_t first = i * at->row.dw_step + j * MG_HALVES * step;
            finish(mg_total(&t, i, j), step, vectors == 1 ? count : MG_HALVES,
                   gathered != NULL ? gathered + first : NULL, dw + first);
        }
    }
}

/* With all registers for one tile. */
#define TILE(rows, vectors)                                                                        \
    MG_APART void tile_##rows##x##vectors(int32_t count, const positions *at, const mg_f16 *a,     \
                                          const mg_f16 *b, const mg_f16 *gathered, mg_f16 *dw) {   \
        tile(rows, vectors, count, at, a, b, gathered, dw);                                        \
    }

TILE(3, 2)
TILE(1, 2)
TILE(3, 1)
TILE(1, 1)

/* Some rows of the matrix. */
MG_INLINE void all_lanes(int rows, const positions *at, const mg_f16 *a, const mg_f16 *b,
                         const mg_f16 *gathered, mg_f16 *dw) {
    for (int32_t left = at->lane.channels; left > 0;) {
        const int32_t wide = left >= MG_TILE_LANES ? MG_TILE_LANES : mg_min(left, MG_HALVES);
        if (wide == MG_TILE_LANES) {
            (rows == 1 ? tile_1x2 : tile_3x2)(wide, at, a, b, gathered, dw);
        } else {
            (rows == 1 ? tile_1x1 : tile_3x1)(wide, at, a, b, gathered, dw);
        }
        left -= wide;
        b += wide;
        dw += wide * at->lane.dw_step;
        gathered = gathered != NULL ? gathered + wide * at->lane.dw_step : NULL;
    }
}

static void matrix(const positions *at, const mg_f16 *a, const mg_f16 *b, const mg_f16 *gathered,
                   mg_f16 *dw) {
    for (int32_t left = at->row.channels; left > 0;) {
        const int32_t rows = left >= MG_TILE_ROWS ? MG_TILE_ROWS : 1;
        if (rows == MG_TILE_ROWS) {
            all_lanes(MG_TILE_ROWS, at, a, b, gathered, dw);
        } else {
            all_lanes(1, at, a, b, gathered, dw);
        }
        left -= rows;
        a += rows;
        dw += rows * at->row.dw_step;
        gathered = gathered != NULL ? gathered + rows * at->row.dw_step : NULL;
    }
}

static inline int32_t vectors_of(int32_t channels) {
    return mg_ceil_div(channels, MG_HALVES);
}

/* The weights of one tap, in every group. */
static void all_groups(const mg_conv2d_params *p, const mg_span *rows, const mg_span *columns,
                       const mg_f16 *x, const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw) {
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const int32_t dw_channel = p->kernel_h * p->kernel_w * depth, across = columns->count;
    const int inside = rows->count > 0 && across > 0;
    const int lanes_of_x = vectors_of(depth) * channels <= vectors_of(channels) * depth;
    const side of_x = {p->stride_w * p->in_c,
                       (p->stride_h * p->in_w - across * p->stride_w) * p->in_c, depth, 1};
    const side of_dy = {p->out_c, (p->out_w - across) * p->out_c, channels, dw_channel};
    positions at = {inside ? rows->count : 0, across, of_dy, of_x};
    if (of_x.row == 0 && of_dy.row == 0) { /* rows lie side by side */
        at.columns *= at.rows;
        at.rows = mg_min(at.rows, 1);
    }
    if (inside) {
        x += (rows->source * p->in_w + columns->source) * p->in_c;
        dy += (rows->first * p->out_w + columns->first) * p->out_c;
    }
    if (!lanes_of_x) {
        at.row = of_x;
        at.lane = of_dy;
    }
    for (int32_t g = 0; g < p->groups; ++g) {
        if (lanes_of_x) {
            matrix(&at, dy, x, gathered, dw);
        } else {
            matrix(&at, x, dy, gathered, dw);
        }
        x += depth;
        dy += channels;
        dw += channels * dw_channel;
        gathered = gathered != NULL ? gathered + channels * dw_channel : NULL;
    }
}

void mg_conv2d_f16_bwd_weight_mve(const mg_conv2d_params *p, const mg_f16 *x, const mg_f16 *dy,
                                  const mg_f16 *gathered, mg_f16 *dw) {
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
