/* Depthwise convolution, int8, forward. Pixels of sixteen channels are laid out in pairs, channel
 * by channel, so that one load gathers a patch of a channel, eight pairs, whose product with a
 * vector of weights is a result. Where steps are single, two by two neighbouring results share a
 * patch: they have the same weights, shifted. */
#include "mve_s8.h"
#include "span.h"

#define CHANNELS   MG_BYTES
#define PAIR_BYTES (2 * CHANNELS)
#define SIDE       2 /* of quads: two by two results */
#define QUAD       MG_WORDS
#define MOST_RUNS  4
#define MAX_BYTES  6144 /* of the image laid out, unless one row of quads needs more */

typedef struct {
    int shared;                   /* whether the results of a quad share their patch */
    int32_t rows, pairs, vectors; /* of a patch */
    int32_t lines, width;         /* rows laid out, and pairs of each */
    int32_t band;                 /* rows of results that come of them */
} layout;

static inline int32_t lines_of(const mg_conv2d_params *p, int32_t results) {
    return (results - 1) * p->stride_h + (p->kernel_h - 1) * p->dilation_h + 1;
}

static layout layout_of(const mg_conv2d_params *p) {
    const int shared = p->stride_h == 1 && p->stride_w == 1 && p->dilation_h == 1;
    const int32_t rows = p->kernel_h + shared, pairs = (p->kernel_w + shared + 1) / 2;
    const int32_t columns = mg_ceil_div(p->out_w, SIDE) * SIDE;
    const int32_t width = ((columns - 1) * p->stride_w + p->kernel_w + 1) / 2;
    int32_t band = SIDE;
    while (band < p->out_h && lines_of(p, band + SIDE) * width * PAIR_BYTES <= MAX_BYTES) {
        band += SIDE;
    }
    return (layout){shared, rows, pairs, mg_ceil_div(rows * pairs, MG_PAIRS), lines_of(p, band),
                    width,  band};
}

/* Where the first patch begins, and the first result. */
typedef struct {
    const int8_t *x;
    int8_t *y;
} quad;

/* Quads of which the same lanes are wanted. */
typedef struct {
    int32_t count;
    mg_lanes lanes;
} run;

/* The channels of a group; x_row, x_column: bytes from the patch of a result to the next; w_row,
 * w_plane: in the weights laid out, a row down, and to those for odd columns. */
typedef struct {
    int32_t vectors, x_row, x_column, w_row, w_plane, zero_point, count;
    const uint16_t *x_steps; /* of each vector of a patch */
    const uint16_t *w_steps; /* of any vector of weights */
    const int32_t *y_steps;  /* of a quad */
    const int8_t *taps;      /* the weights laid out */
    int8_t *weights;         /* of one channel: vectors of a quad's results one by one */
    const run *runs, *end;
    const quad *quads;
} group;

/* The sums of a quad's results; single: a patch is one vector. */
MG_INLINE mg_words sums_of(int shared, int single, const group *g, const mg_bytes *held,
                           mg_steps at, int32_t channel, const int8_t *x) {
    int32_t sums[QUAD] = {0};
    const int8_t *w = g->weights;
    for (int32_t v = 0; v < (single ? 1 : g->vectors); ++v) {
        const mg_steps steps =
            single ? at : mg_add_to_steps(mg_load_steps(g->x_steps + v * MG_PAIRS), 2 * channel);
        mg_bytes patch = mg_load_pairs(x, steps);
        mg_bytes weights = single ? held[0] : mg_load_bytes(w);
        sums[0] = mg_add_dot(sums[0], patch, weights);
        MG_UNROLLED
        for (int i = 1; i < QUAD; ++i) {
            if (shared) {
                weights = single ? held[i] : mg_load_bytes(w + i * MG_BYTES);
            } else {
                patch = mg_load_pairs(x + i / SIDE * g->x_row + i % SIDE * g->x_column, steps);
            }
            sums[i] = mg_add_dot(sums[i], patch, weights);
        }
        w += (shared ? QUAD : 1) * MG_BYTES;
    }
    return mg_words_of(sums);
}

/* Some lanes of the results of quads. */
MG_INLINE void run_results(int shared, int single, const group *g, const mg_bytes *held,
                           int32_t channel, const mg_rounding_s8 *c, int32_t count, const quad *k,
                           mg_lanes lanes) {
    const mg_steps x_steps = mg_add_to_steps(mg_load_steps(g->x_steps), 2 * channel);
    const mg_words y_steps = mg_add_to_words(mg_load_words(g->y_steps), channel);
    const mg_rounding_s8 rounding = *c;
    const int32_t zero_point = g->zero_point;
    MG_ROLLED
    for (; count > 0; --count, ++k) {
        const mg_words sums = sums_of(shared, single, g, held, x_steps, channel, k->x);
        mg_scatter_words(k->y, y_steps, lanes, mg_rounded_words(sums, &rounding), zero_point);
    }
}

/* Gathers the weights of a channel for each result of a quad that has its own: those of a patch
 * that is one vector into `held`. Gives their sum. */
MG_INLINE int32_t gather_weights(int shared, int single, const group *g, int32_t channel,
                                 mg_bytes *held) {
    const mg_steps at = mg_load_steps(g->w_steps);
    const int8_t *from = g->taps + shared * g->w_row + 2 * channel;
    int8_t *to = g->weights;
    int32_t sum = 0;
    for (int32_t v = 0; v < (single ? 1 : g->vectors); ++v) {
        MG_UNROLLED
        for (int i = 0; i < QUAD; ++i) {
            if (i > 0 && !shared) {
                continue;
            }
            const mg_bytes w =
                mg_load_pairs(from + i % SIDE * g->w_plane - i / SIDE * g->w_row, at);
            if (i == 0) {
                sum = mg_add_dot(sum, w, mg_all_bytes(1));
            }
            if (single) {
                held[i] = w;
            } else {
                mg_store_bytes(to, w);
                to += MG_BYTES;
            }
        }
        from += MG_PAIRS * PAIR_BYTES;
    }
    return sum;
}

/* sum: of its weights */
static inline mg_rounding_s8 rounding_of(const mg_requant_s8 *q, const int32_t *b, int32_t channel,
                                         int32_t sum) {
    const int32_t shift = q->shift[channel];
    const uint32_t moved = (uint32_t)q->input_zero_point * (uint32_t)sum;
    const int32_t start = (int32_t)((b != NULL ? (uint32_t)b[channel] : 0) - moved);
    return (mg_rounding_s8){start, shift < 0, q->multiplier[channel], shift};
}

/* The results of all channels from `first` on, by the channel in the layer. */
MG_INLINE void results(int shared, int single, const group *g, const mg_requant_s8 *q,
                       const int32_t *b, int32_t first) {
    for (int32_t channel = 0; channel < g->count; ++channel) {
        mg_bytes held[QUAD];
        const int32_t sum = gather_weights(shared, single, g, channel, held);
        const mg_rounding_s8 rounding = rounding_of(q, b, first + channel, sum);
        const quad *k = g->quads;
        for (const run *r = g->runs; r != g->end; ++r) {
            if (single && r->lanes == MG_ALL_LANES) {
                run_results(shared, single, g, held, channel, &rounding, r->count, k, MG_ALL_LANES);
            } else {
                run_results(shared, single, g, held, channel, &rounding, r->count, k, r->lanes);
            }
            k += r->count;
        }
    }
}

MG_APART void group_results(int shared, const group *g, const mg_requant_s8 *q, const int32_t *b,
                            int32_t first) {
    if (shared && g->vectors == 1) {
        results(1, 1, g, q, b, first);
    } else if (shared) {
        results(1, 0, g, q, b, first);
    } else if (g->vectors == 1) {
        results(0, 1, g, q, b, first);
    } else {
        results(0, 0, g, q, b, first);
    }
}

/* Of a quad, those in so many rows and columns. */
static inline mg_lanes lanes_of(int32_t high, int32_t wide) {
    const uint32_t row = wide > 1 ? 0xFF : 0xF;
    return (mg_lanes)(high > 1 ? row << 8 | row : row);
}

/* Lists the quads of `rows` rows of results: whole ones, what is left beside them, below them and
 * in the corner. Gives the end of the runs. */
MG_APART run *list_quads(const mg_conv2d_params *p, const group *g, int32_t rows, const int8_t *x,
                         int8_t *y, quad *quads, run *to) {
    const int32_t below = rows - rows % SIDE, beside = p->out_w - p->out_w % SIDE;
    for (int k = 0; k < MOST_RUNS; ++k) {
        const int32_t top = k / 2 == 0 ? 0 : below, bottom = k / 2 == 0 ? below : rows;
        const int32_t left = k % 2 == 0 ? 0 : beside, right = k % 2 == 0 ? beside : p->out_w;
        int32_t count = 0;
        for (int32_t row = top; row < bottom; row += SIDE) {
            for (int32_t column = left; column < right; column += SIDE) {
                quads[count++] = (quad){x + row * g->x_row + column * g->x_column,
                                        y + (row * p->out_w + column) * p->out_c};
            }
        }
        if (count > 0) {
            *to++ = (run){count, lanes_of(rows - top, p->out_w - left)};
            quads += count;
        }
    }
    return to;
}

MG_INLINE mg_bytes pixel(int whole, const int8_t *x, int32_t channels) {
    return whole ? mg_load_bytes(x) : mg_load_first_bytes(x, channels);
}

/* n pixels from column `before` on, `step` apart; with those at the ends padding makes pairs. */
MG_INLINE void lay_out_pixels(int whole, int32_t n, const int8_t *x, int32_t step, int32_t channels,
                              int32_t before, mg_bytes padding, int8_t *to) {
    to += before / 2 * PAIR_BYTES;
    if (before % 2 != 0) {
        mg_store_pairs(to, padding, pixel(whole, x, channels));
        to += PAIR_BYTES;
        x += step;
        n--;
    }
    MG_ROLLED
    for (int32_t pairs = n / 2; pairs > 0; --pairs) {
        const mg_bytes first = pixel(whole, x, channels);
        mg_store_pairs(to, first, pixel(whole, x + step, channels));
        to += PAIR_BYTES;
        x += 2 * step;
    }
    if (n % 2 != 0) {
        mg_store_pairs(to, pixel(whole, x, channels), padding);
    }
}

MG_INLINE void lay_out_row(int32_t n, const int8_t *x, int32_t step, int32_t channels,
                           int32_t before, mg_bytes padding, int8_t *to) {
    if (channels == CHANNELS) {
        lay_out_pixels(1, n, x, step, channels, before, padding, to);
    } else {
        lay_out_pixels(0, n, x, step, channels, before, padding, to);
    }
}

/* The rows of the image from `top` on, which may lie above it. The first `kept` are the last of the
 * band before: x may have become results there. */
MG_APART void lay_out_band(const mg_conv2d_params *p, const layout *l, const int8_t *x,
                           int32_t channels, int32_t top, int32_t kept, mg_bytes padding,
                           int8_t *to) {
    const int32_t row_bytes = l->width * PAIR_BYTES;
    const int32_t kept_bytes = kept * row_bytes, skipped_bytes = (l->lines - kept) * row_bytes;
    MG_ROLLED
    for (int32_t left = kept_bytes / MG_BYTES; left > 0; --left, to += MG_BYTES) {
        mg_store_bytes(to, mg_load_bytes(to + skipped_bytes));
    }
    const int32_t left = mg_max(p->pad_left, 0), skipped = mg_max(-p->pad_left, 0);
    const int32_t inside = mg_min(p->in_w - skipped, 2 * l->width - left);
    for (int32_t row = top + kept; row < top + l->lines; ++row, to += row_bytes) {
        if (row >= 0 && row < p->in_h) {
            lay_out_row(inside, x + (row * p->in_w + skipped) * p->in_c, p->in_c, channels, left,
                        padding, to);
        } else {
            mg_fill(row_bytes, padding, to);
        }
    }
}

/* Pairs of the weights laid out, for results in the same column. */
static inline int32_t weight_pairs(const layout *l) {
    return l->shared * l->pairs + l->vectors * MG_PAIRS;
}

MG_APART void lay_out_weights(const mg_conv2d_params *p, const layout *l, const int8_t *w,
                              int32_t channels, int8_t *to) {
    const int32_t plane = weight_pairs(l) * PAIR_BYTES, row = l->pairs * PAIR_BYTES;
    mg_fill((1 + l->shared) * plane, mg_all_bytes(0), to);
    for (int column = 0; column <= l->shared; ++column, to += plane) {
        for (int32_t k = 0; k < p->kernel_h; ++k) {
            lay_out_row(p->kernel_w, w + k * p->kernel_w * p->out_c, p->out_c, channels, column,
                        mg_all_bytes(0), to + (k + l->shared) * row);
        }
    }
}

/* Where everything lies in scratch memory behind the quads, in bytes. */
typedef struct {
    int32_t x_steps, weights, taps, image, end;
} places;

static places places_of(const mg_conv2d_params *p, const layout *l) {
    places at;
    at.x_steps = l->band / SIDE * mg_ceil_div(p->out_w, SIDE) * (int32_t)sizeof(quad);
    at.weights = at.x_steps + l->vectors * MG_PAIRS * (int32_t)sizeof(uint16_t);
    at.taps = at.weights + (l->shared ? QUAD : 1) * l->vectors * MG_BYTES;
    at.image = at.taps + (1 + l->shared) * weight_pairs(l) * PAIR_BYTES;
    at.end = at.image + l->lines * l->width * PAIR_BYTES;
    return at;
}

/* Bytes from the begin of a patch to its pairs; those that fill up the last vector have no weights
 * and repeat the first. */
MG_APART void list_steps(const mg_conv2d_params *p, const layout *l, uint16_t *to) {
    for (int32_t k = 0; k < l->vectors * MG_PAIRS; ++k) {
        const int32_t row = k / l->pairs, pair = k % l->pairs;
        const int32_t at = row * p->dilation_h * l->width + pair;
        to[k] = (uint16_t)(row < l->rows ? at * PAIR_BYTES : 0);
    }
}

size_t mg_depthwise_conv2d_s8_fwd_mve_scratch_size(const mg_conv2d_params *p) {
    const layout l = layout_of(p);
    return (size_t)places_of(p, &l).end;
}

void mg_depthwise_conv2d_s8_fwd_mve(void *scratch, const mg_conv2d_params *p,
                                    const mg_requant_s8 *q, const int8_t *x, const int8_t *w,
                                    const int32_t *b, int8_t *y) {
    const layout l = layout_of(p);
    const places at = places_of(p, &l);
    int8_t *const base = scratch, *const taps = base + at.taps, *const image = base + at.image;
    uint16_t *const x_steps = (uint16_t *)(void *)(base + at.x_steps);
    const int32_t y_steps[QUAD] = {0, p->out_c, p->out_w * p->out_c, (p->out_w + 1) * p->out_c};
    uint16_t w_steps[MG_PAIRS];
    quad *const quads = scratch;
    const int32_t overlap = mg_max(l.lines - l.band * p->stride_h, 0);
    const mg_bytes padding = mg_all_bytes(q->input_zero_point);
    run runs[MOST_RUNS];
    group g = {
        .vectors = l.vectors,
        .x_row = p->stride_h * l.width * PAIR_BYTES,
        .x_column = p->stride_w * PAIR_BYTES / 2,
        .w_row = l.pairs * PAIR_BYTES,
        .w_plane = weight_pairs(&l) * PAIR_BYTES,
        .zero_point = q->output_zero_point,
        .x_steps = x_steps,
        .w_steps = w_steps,
        .y_steps = y_steps,
        .taps = taps,
        .weights = base + at.weights,
        .runs = runs,
        .quads = quads,
    };
    list_steps(p, &l, x_steps);
    for (int i = 0; i < MG_PAIRS; ++i) {
        w_steps[i] = (uint16_t)(i * PAIR_BYTES);
    }
    mg_fill(at.end - at.image, padding, image);
    for (int32_t first = 0; first < p->out_c; first += CHANNELS) {
        g.count = mg_min(p->out_c - first, CHANNELS);
        lay_out_weights(p, &l, w + first, g.count, taps);
        for (int32_t top = 0; top < p->out_h; top += l.band) {
            lay_out_band(p, &l, x + first, g.count, top * p->stride_h - p->pad_top,
                         top > 0 ? overlap : 0, padding, image);
            g.end = list_quads(p, &g, mg_min(l.band, p->out_h - top), image,
                               y + top * p->out_w * p->out_c + first, quads, runs);
            group_results(l.shared, &g, q, b, first);
        }
    }
    mg_limit_results(q, p->out_h * p->out_w * p->out_c, y);
}
