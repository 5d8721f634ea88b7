/* The body of depthwise kernels for the common window, 3x3 at unit stride.
 *
 * A channel's row of results is swept along the columns of the source: each column adds its
 * part to the three results whose windows hold it, which live in registers. So a product costs
 * a third of a load. The gradient of the input is the same sweep with the window turned round.
 *
 * Before it is included, ELEMENT, WEIGHT, SUM, BIAS, QUANT and FINISH name types, LANES is how many
 * neighbouring channels are swept together, COLUMNS how many columns share a round, 3 or 1: three
 * need no moves between registers and more flash. And these are defined:
 *
 *     the lanes of x:            MG_INLINE void load_lanes(int place, const ELEMENT *x, SUM *to);
 *     how a channel's sums end:  static inline FINISH finish_of(const QUANT *q, int32_t channel);
 *                                static inline void finish(FINISH f, SUM sum, ELEMENT *y);
 */
#include "mg_cores.h"
#include "slide_geometry.h"
#include "span.h"
#include "tile.h"

/* Results under way in each lane, by the column that completes them modulo 3. */
typedef struct {
    SUM sums[3][LANES], start[LANES], w[3][3][LANES];
} sweep;

/* Adds `rows` elements of the next column, which is `phase` modulo 3 and completes these sums. */
MG_INLINE void sweep_column(int rows, int phase, sweep *s, const ELEMENT **x, int32_t step) {
    MG_UNROLLED
    for (int c = 0; c < LANES; ++c) {
        s->sums[(phase + 2) % 3][c] = s->start[c];
    }
    MG_UNROLLED
    for (int r = 0; r < rows; ++r) {
        SUM value[LANES];
        load_lanes(r % 2, x[r], value);
        x[r] += step;
        MG_UNROLLED
        for (int c = 0; c < LANES; ++c) {
            MG_UNROLLED
            for (int k = 0; k < 3; ++k) {
                s->sums[(phase + k) % 3][c] += value[c] * s->w[r][2 - k][c];
            }
        }
    }
}

MG_INLINE void sweep_out(int phase, const sweep *s, FINISH *f, ELEMENT *y) {
    MG_UNROLLED
    for (int c = 0; c < LANES; ++c) {
        finish(f[c], s->sums[phase][c], y + c);
    }
}

/* The next column is 0 modulo 3 again. */
MG_INLINE void sweep_on(sweep *s) {
    MG_UNROLLED
    for (int c = 0; c < LANES; ++c) {
        s->sums[0][c] = s->sums[1][c];
        s->sums[1][c] = s->sums[2][c];
    }
}

/* One row; `x` is at the first of the window's `rows` inside. */
MG_INLINE void slide_row(int rows, const slide *g, sweep *s, FINISH *f, const ELEMENT *x,
                         ELEMENT *y) {
    const int32_t step = g->channels;
    const ELEMENT *from[3];
    MG_UNROLLED
    for (int c = 0; c < LANES; ++c) {
        s->sums[0][c] = s->sums[1][c] = s->start[c];
    }
    MG_UNROLLED
    for (int r = 0; r < rows; ++r) {
        from[r] = x + r * g->source_w * step;
    }
    /* What the first columns complete lies left of the results. */
    int32_t early = 2 - g->pad_left, inside = mg_min(g->source_w - early, g->result_w);
    int32_t outside = g->result_w - inside;
    MG_ROLLED
    for (; early > 0; --early) {
        sweep_column(rows, 0, s, from, step);
        sweep_on(s);
    }
    if (rows == 3 && COLUMNS == 3) {
        MG_ROLLED
        for (; inside >= 3; inside -= 3) {
            MG_UNROLLED
            for (int phase = 0; phase < 3; ++phase) {
                sweep_column(rows, phase, s, from, step);
                sweep_out(phase, s, f, y);
                y += step;
                MG_KEEP_ORDER();
            }
        }
    }
    MG_ROLLED
    for (; inside > 0; --inside) {
        sweep_column(rows, 0, s, from, step);
        sweep_out(0, s, f, y);
        sweep_on(s);
        y += step;
    }
    MG_ROLLED
    for (; outside > 0; --outside) {
        sweep_column(0, 0, s, from, step);
        sweep_out(0, s, f, y);
        sweep_on(s);
        y += step;
    }
}

/* A band of rows from `channel` on, which all meet `rows` rows of the source; `w` is at the first
 * of these. */
MG_INLINE void slide_band(int rows, const slide *g, const QUANT *q, int32_t channel, int32_t count,
                          const ELEMENT *x, const WEIGHT *w, const BIAS *b, ELEMENT *y) {
    FINISH f[LANES];
    sweep s;
    MG_UNROLLED
    for (int c = 0; c < LANES; ++c) {
        f[c] = finish_of(q, channel + c);
        s.start[c] = b != NULL ? b[channel + c] : 0;
    }
    MG_UNROLLED
    for (int r = 0; r < rows; ++r) {
        MG_UNROLLED
        for (int k = 0; k < 3; ++k) {
            MG_UNROLLED
            for (int c = 0; c < LANES; ++c) {
                s.w[r][k][c] = (SUM)w[r * g->w_row + k * g->w_column + channel + c];
            }
        }
    }
    MG_ROLLED
    for (; count > 0; --count) {
        slide_row(rows, g, &s, f, x + channel, y + channel);
        x += g->source_w * g->channels;
        y += g->result_w * g->channels;
    }
}

/* What the grid shares out of all channels of all rows; b NULL: no biases. */
MG_INLINE void slide_all(const slide *g, const QUANT *q, const ELEMENT *x, const WEIGHT *w,
                         const BIAS *b, ELEMENT *y, mg_grid grid) {
    const mg_part rows = mg_share_rows(grid, g->result_h, 1);
    const mg_part channels = mg_share_columns(grid, g->channels, LANES);
    int32_t count;
    y += rows.first * g->result_w * g->channels;
    for (int32_t row = rows.first; row < rows.end;
         row += count, y += count * g->result_w * g->channels) {
        const int32_t top = row - g->pad_top, first = mg_max(-top, 0);
        const int32_t whole = first > 0 ? 0 : mg_min(rows.end - row, g->source_h - 2 - top);
        const ELEMENT *const from = x + (top + first) * g->source_w * g->channels;
        const WEIGHT *const weights = w + first * g->w_row;
        count = mg_max(whole, 1);
        for (int32_t c = channels.first; c < channels.end; c += LANES) {
            /* The last lanes may repeat a channel. */
            const int32_t channel = mg_min(c, channels.end - LANES);
            if (whole > 0) {
                slide_band(3, g, q, channel, count, from, weights, b, y);
            } else {
                slide_band(2, g, q, channel, count, from, weights, b, y);
            }
        }
    }
}
