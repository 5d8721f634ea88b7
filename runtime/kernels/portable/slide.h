/* The body of depthwise kernels for the common window, 3x3 at unit stride.
 *
 * A channel's row of results is swept along the columns of the source: each column adds its
 * part to the three results whose windows hold it, which live in registers. So a product costs
 * a third of a load. The gradient of the input is the same sweep with the window turned round.
 *
 * Before it is included, ELEMENT, WEIGHT, SUM, BIAS, QUANT and FINISH name types, LANES is how many
 * neighbouring channels are swept together, and these are defined:
 *
 *     what x is counted from:   static inline SUM zero_point_of(const QUANT *q);
 *     how a channel's sums end:  static inline FINISH finish_of(const QUANT *q, int32_t channel);
 *                                static inline void finish(FINISH f, SUM sum, ELEMENT *y);
 */
#include "slide_geometry.h"
#include "tile.h"

/* Results under way in each lane; a column completes the oldest. */
typedef struct {
    SUM oldest[LANES], middle[LANES], start[LANES], w[3][3][LANES];
} sweep;

/* Adds `rows` elements of the next column, and gives what it completes. */
MG_INLINE void sweep_column(int rows, sweep *s, SUM zero_point, const ELEMENT **x, int32_t step,
                            SUM *done) {
    MG_UNROLLED
    for (int c = 0; c < LANES; ++c) {
        done[c] = s->oldest[c];
        s->oldest[c] = s->middle[c];
        s->middle[c] = s->start[c];
    }
    MG_UNROLLED
    for (int r = 0; r < rows; ++r) {
        MG_UNROLLED
        for (int c = 0; c < LANES; ++c) {
            const SUM value = x[r][c] - zero_point;
            done[c] += value * s->w[r][2][c];
            s->oldest[c] += value * s->w[r][1][c];
            s->middle[c] += value * s->w[r][0][c];
        }
        x[r] += step;
    }
}

MG_INLINE void sweep_out(FINISH *f, const SUM *done, ELEMENT *y) {
    MG_UNROLLED
    for (int c = 0; c < LANES; ++c) {
        finish(f[c], done[c], y + c);
    }
}

/* One row from `channel` on; `x` and `w` are at the first of the window's `rows` inside. */
MG_INLINE void slide_row(int rows, const slide *g, const QUANT *q, int32_t channel,
                         const ELEMENT *x, const WEIGHT *w, const BIAS *b, ELEMENT *y) {
    const ELEMENT *from[3];
    const int32_t step = g->channels;
    const SUM zero_point = zero_point_of(q);
    FINISH f[LANES];
    SUM done[LANES];
    sweep s;
    MG_UNROLLED
    for (int c = 0; c < LANES; ++c) {
        f[c] = finish_of(q, channel + c);
        s.start[c] = b != NULL ? b[channel + c] : 0;
        s.oldest[c] = s.middle[c] = s.start[c];
    }
    MG_UNROLLED
    for (int r = 0; r < rows; ++r) {
        from[r] = x + r * g->source_w * step + channel;
        MG_UNROLLED
        for (int k = 0; k < 3; ++k) {
            MG_UNROLLED
            for (int c = 0; c < LANES; ++c) {
                s.w[r][k][c] = (SUM)w[r * g->w_row + k * g->w_column + channel + c];
            }
        }
    }
    y += channel;
    /* What the first columns complete lies left of the results. */
    const int32_t early = 2 - g->pad_left, end = early + g->result_w;
    const int32_t inside = mg_min(g->source_w, end);
    MG_ROLLED
    for (int32_t column = 0; column < early; ++column) {
        sweep_column(rows, &s, zero_point, from, step, done);
    }
    MG_ROLLED
    for (int32_t column = early; column < inside; ++column) {
        sweep_column(rows, &s, zero_point, from, step, done);
        sweep_out(f, done, y);
        y += step;
    }
    MG_ROLLED
    for (int32_t column = inside; column < end; ++column) {
        sweep_column(0, &s, zero_point, from, step, done);
        sweep_out(f, done, y);
        y += step;
    }
}

/* All channels of all rows; b NULL: no biases. */
MG_INLINE void slide_all(const slide *g, const QUANT *q, const ELEMENT *x, const WEIGHT *w,
                         const BIAS *b, ELEMENT *y) {
    for (int32_t row = 0; row < g->result_h; ++row, y += g->result_w * g->channels) {
        const int32_t top = row - g->pad_top, first = mg_max(-top, 0);
        const ELEMENT *const from = x + (top + first) * g->source_w * g->channels;
        const WEIGHT *const weights = w + first * g->w_row;
        for (int32_t c = 0; c < g->channels; c += LANES) {
            /* The last lanes may repeat a channel. */
            const int32_t channel = mg_min(c, g->channels - LANES);
            if (first == 0 && top + 3 <= g->source_h) {
                slide_row(3, g, q, channel, from, weights, b, y);
            } else {
                slide_row(2, g, q, channel, from, weights, b, y);
            }
        }
    }
}
