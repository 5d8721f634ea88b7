/* Depthwise convolutions of half, and the gradients of their inputs, whose vectors are neighbouring
 * channels. The common window is swept along the rows, four results at a time, which share the
 * columns of the source that they meet; all others go tap by tap. */
#include "depthwise_conv2d_window.h"
#include "slide_geometry.h"
#include "tile_f16.h"

#define ELEMENT     mg_f16
#define WEIGHT      mg_f16
#define BIAS        mg_f16
#define QUANT       mg_range_f16
#define TILE_PIXELS MG_TILE_ROWS
#define TILE_LEAST  TILE_PIXELS
#define SWEPT       4

/* b NULL: zeros */
static inline mg_halves starts_of(const mg_f16 *b, int32_t channel, int32_t count) {
    return b != NULL ? mg_load_first(b + channel, count) : mg_no_halves();
}

/* q NULL: no activation */
static inline mg_halves limited(mg_halves y, const mg_range_f16 *q) {
    return q != NULL ? mg_limited(y, *q) : y;
}

/* Eight channels, or fewer that are left. */
MG_INLINE void taps(int pixels, int32_t count, const mg_window *v, const mg_range_f16 *q,
                    const mg_f16 *const *source, const mg_f16 *w, const mg_f16 *b, int32_t channel,
                    mg_f16 *const *result) {
    float start[MG_HALVES], total[MG_TILE_SUMS];
    const mg_f16 *a[MG_TILE_ROWS];
    mg_tile_f16 t;
    mg_store_singles(start, mg_widened(starts_of(b, channel, count)));
    mg_start_tile(pixels, 1, start, total, &t);
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        a[i] = source[i] + channel;
    }
    w += channel;
    int32_t in_row = v->runs;
    MG_ROLLED
    for (int32_t left = v->rows * v->runs; left > 0; --left) {
        mg_make_room(pixels, 1, 1, &t);
        const mg_halves weights = mg_load_first(w, count);
        const int last = --in_row == 0;
        in_row = last ? v->runs : in_row;
        MG_UNROLLED
        for (int i = 0; i < pixels; ++i) {
            const mg_halves x = mg_load_first(a[i], count);
            t.sums[i][0] = mg_add_products(t.sums[i][0], x, weights);
            a[i] += last ? v->source_row : v->source_run;
        }
        w += last ? v->w_row : v->w_run;
    }
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        mg_store_first(result[i] + channel, limited(mg_rounded(mg_total(&t, i, 0)), q), count);
    }
}

MG_INLINE void tile(int pixels, int32_t channels, const mg_window *v, const mg_range_f16 *q,
                    const mg_f16 *const *source, const mg_f16 *w, const mg_f16 *b, int32_t channel,
                    mg_f16 *const *result) {
    MG_ROLLED
    for (int32_t left = channels; left > 0; left -= MG_HALVES) {
        taps(pixels, left, v, q, source, w, b, channel, result);
        channel += MG_HALVES;
    }
}

/* A row of results: its channels, the row of the source that its first tap meets, and the taps. */
typedef struct {
    const slide *g;
    const mg_range_f16 *q;
    int32_t rows;
    const mg_f16 *w;
    mg_halves start;
} swept;

/* Results side by side, of nine products each and the bias, all in half: from the first column of
 * the source that they meet on; left and right: that column, or the last one, lies outside. */
MG_INLINE void sweep(int pixels, int left, int right, const swept *s, const mg_f16 *x, mg_f16 *y) {
    const int32_t step = s->g->channels, row = (s->g->source_w - pixels - 2) * step;
    const mg_f16 *w = s->w;
    mg_halves sums[SWEPT];
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        sums[i] = s->start;
    }
    MG_ROLLED
    for (int32_t rows = s->rows; rows > 0; --rows) {
        mg_halves weights[3];
        MG_UNROLLED
        for (int k = 0; k < 3; ++k) {
            weights[k] = mg_load(w + k * s->g->w_column);
        }
        MG_UNROLLED
        for (int j = 0; j < pixels + 2; ++j) {
            if (!(left && j == 0) && !(right && j == pixels + 1)) {
                const mg_halves column = mg_load(x);
                MG_UNROLLED
                for (int k = 0; k < 3; ++k) {
                    if (j >= k && j - k < pixels) {
                        sums[j - k] = mg_add_products(sums[j - k], column, weights[k]);
                    }
                }
            }
            x += step;
        }
        x += row;
        w += s->g->w_row;
    }
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        mg_store(y + i * step, limited(sums[i], s->q));
    }
}

/* The eight channels at x and y. */
MG_APART void sweep_row(const swept *s, const mg_f16 *x, mg_f16 *y) {
    const slide *const g = s->g;
    const int32_t step = g->channels;
    const int right = g->result_w - g->pad_left + 2 > g->source_w;
    int left = g->pad_left > 0;
    int32_t to_do = g->result_w;
    x -= g->pad_left * step;
    while (to_do > 0) {
        int32_t pixels = SWEPT;
        if (to_do > SWEPT && !left) {
            MG_ROLLED
            for (; to_do > SWEPT; to_do -= SWEPT) {
                sweep(SWEPT, 0, 0, s, x, y);
                x += SWEPT * step;
                y += SWEPT * step;
            }
            continue;
        }
        const int last = right && (to_do == SWEPT || to_do == 1);
        if (to_do >= SWEPT) {
            if (left && last) {
                sweep(SWEPT, 1, 1, s, x, y);
            } else if (left) {
                sweep(SWEPT, 1, 0, s, x, y);
            } else if (last) {
                sweep(SWEPT, 0, 1, s, x, y);
            } else {
                sweep(SWEPT, 0, 0, s, x, y);
            }
        } else {
            pixels = 1;
            if (left && last) {
                sweep(1, 1, 1, s, x, y);
            } else if (left) {
                sweep(1, 1, 0, s, x, y);
            } else if (last) {
                sweep(1, 0, 1, s, x, y);
            } else {
                sweep(1, 0, 0, s, x, y);
            }
        }
        left = 0;
        to_do -= pixels;
        x += pixels * step;
        y += pixels * step;
    }
}

/* Whether no row of results meets more than one column on either side outside. */
static inline int sweeps(const slide *g) {
    const int32_t right = g->result_w - g->pad_left + 2 - g->source_w;
    return g->channels >= MG_HALVES && 0 <= g->pad_left && g->pad_left <= 1 && right <= 1;
}

/* q NULL: no activation; b NULL: no biases. */
static inline void sweep_all(const slide *g, const mg_range_f16 *q, const mg_f16 *x,
                             const mg_f16 *w, const mg_f16 *b, mg_f16 *y) {
    const int32_t source_row = g->source_w * g->channels;
    for (int32_t row = 0; row < g->result_h; ++row, y += g->result_w * g->channels) {
        const int32_t top = row - g->pad_top, first = mg_max(-top, 0);
        const int32_t rows = mg_min(g->source_h - top, 3) - first;
        for (int32_t c = 0; c < g->channels; c += MG_HALVES) {
            /* The last lanes may repeat a channel. */
            const int32_t channel = mg_min(c, g->channels - MG_HALVES);
            const swept s = {g, q, rows, w + first * g->w_row + channel,
                             starts_of(b, channel, MG_HALVES)};
            sweep_row(&s, x + (top + first) * source_row + channel, y + channel);
        }
    }
}
