/* The common depthwise window, 3x3 at unit stride, without reloading what windows share.
 *
 * A channel's row of results is swept along the columns of the source: each column adds its
 * part to the three results whose windows hold it, which live in registers. So a product costs
 * a third of a load. The gradient of the input is the same sweep with the window turned round.
 */
#ifndef MG_SLIDE_F32_H
#define MG_SLIDE_F32_H

#include "span.h"
#include "tile.h"

/* Sizes of both sides, and steps in w from tap to tap. */
typedef struct {
    int32_t source_h, source_w, result_h, result_w, channels;
    int32_t pad_top, pad_left; /* 0 to 2 */
    int32_t w_row, w_column;
} mg_slide;

/* Results under way in each lane; a column completes the oldest. */
typedef struct {
    float oldest[MG_LANES], middle[MG_LANES], start[MG_LANES], w[3][3][MG_LANES];
} mg_sweep;

/* Adds `rows` elements of the next column, and gives what it completes. */
MG_INLINE void mg_sweep_f32(int rows, int lanes, mg_sweep *s, const float **x, int32_t step,
                            float *done) {
    MG_UNROLLED
    for (int c = 0; c < lanes; ++c) {
        done[c] = s->oldest[c];
        s->oldest[c] = s->middle[c];
        s->middle[c] = s->start[c];
    }
    MG_UNROLLED
    for (int r = 0; r < rows; ++r) {
        MG_UNROLLED
        for (int c = 0; c < lanes; ++c) {
            const float value = x[r][c];
            done[c] += value * s->w[r][2][c];
            s->oldest[c] += value * s->w[r][1][c];
            s->middle[c] += value * s->w[r][0][c];
        }
        x[r] += step;
    }
}

MG_INLINE void mg_sweep_out_f32(int lanes, const float *done, const mg_clamp_f32 *q, float *y) {
    MG_UNROLLED
    for (int c = 0; c < lanes; ++c) {
        y[c] = q != NULL ? mg_limit_f32(done[c], *q) : done[c];
    }
}

/* One row of a few channels; `x` and `w` are at the first of the window's `rows` inside. */
MG_INLINE void mg_slide_row_f32(int rows, int lanes, const mg_slide *g, const mg_clamp_f32 *q,
                                const float *x, const float *w, const float *b, float *y) {
    const int32_t step = g->channels;
    const float *from[3];
    float done[MG_LANES];
    mg_sweep s;
    MG_UNROLLED
    for (int c = 0; c < lanes; ++c) {
        s.start[c] = b != NULL ? b[c] : 0.0f;
        s.oldest[c] = s.middle[c] = s.start[c];
    }
    MG_UNROLLED
    for (int r = 0; r < rows; ++r) {
        from[r] = x + r * g->source_w * step;
        MG_UNROLLED
        for (int k = 0; k < 3; ++k) {
            MG_UNROLLED
            for (int c = 0; c < lanes; ++c) {
                s.w[r][k][c] = w[r * g->w_row + k * g->w_column + c];
            }
        }
    }
    /* The first columns complete only what lies left of the results. */
    const int32_t early = 2 - g->pad_left;
    for (int32_t k = 0; k < early; ++k) {
        if (k < g->source_w) {
            mg_sweep_f32(rows, lanes, &s, from, step, done);
        } else {
            mg_sweep_f32(0, lanes, &s, from, step, done);
        }
    }
    const int32_t full = mg_max(mg_min(g->source_w - early, g->result_w), 0);
    for (int32_t k = full; k > 0; --k) {
        mg_sweep_f32(rows, lanes, &s, from, step, done);
        mg_sweep_out_f32(lanes, done, q, y);
        y += step;
    }
    /* The last results have no column on their right. */
    for (int32_t k = full; k < g->result_w; ++k) {
        mg_sweep_f32(0, lanes, &s, from, step, done);
        mg_sweep_out_f32(lanes, done, q, y);
        y += step;
    }
}

MG_INLINE void mg_slide_lanes_f32(int32_t rows, int lanes, const mg_slide *g, const mg_clamp_f32 *q,
                                  const float *x, const float *w, const float *b, float *y) {
    if (rows == 3) {
        mg_slide_row_f32(3, lanes, g, q, x, w, b, y);
    } else if (rows == 2) {
        mg_slide_row_f32(2, lanes, g, q, x, w, b, y);
    } else if (rows == 1) {
        mg_slide_row_f32(1, lanes, g, q, x, w, b, y);
    } else {
        mg_slide_row_f32(0, lanes, g, q, x, w, b, y);
    }
}

/* All channels of all rows; q NULL: no activation, b NULL: no biases. */
MG_INLINE void mg_slide_f32(const mg_slide *g, const mg_clamp_f32 *q, const float *x,
                            const float *w, const float *b, float *y) {
    for (int32_t row = 0; row < g->result_h; ++row) {
        const int32_t top = row - g->pad_top, first = mg_max(-top, 0);
        const int32_t rows = mg_max(mg_min(3, g->source_h - top) - first, 0);
        const float *const from = rows > 0 ? x + (top + first) * g->source_w * g->channels : x;
        const float *const weights = w + first * g->w_row;
        float *const to = y + row * g->result_w * g->channels;
        int32_t c = 0;
        for (; c + MG_LANES <= g->channels; c += MG_LANES) {
            const float *const start = b != NULL ? b + c : NULL;
            mg_slide_lanes_f32(rows, MG_LANES, g, q, from + c, weights + c, start, to + c);
        }
        for (; c < g->channels; ++c) {
            const float *const start = b != NULL ? b + c : NULL;
            mg_slide_lanes_f32(rows, 1, g, q, from + c, weights + c, start, to + c);
        }
    }
}

#endif
