/* Sums of rows of weights, each times an element of the source, for up to three pixels at once.
 *
 * Weights lie in blocks of sixteen neighbouring channels of the result, or of eight: in the order
 * of the source's elements, the channels of an element side by side. Those that are not packed so
 * are laid out for some channels at a time, behind the sums' starts, which are in single. */
#include "span.h"
#include "tile_f16.h"

/* What sums start from, group after group, and what limits the results. */
typedef struct {
    const float *starts;
    int limited;
    mg_range_f16 range;
} ends;

#define ELEMENT     mg_f16
#define WEIGHT      mg_f16
#define BIAS        float
#define QUANT       ends
#define TILE_PIXELS MG_TILE_ROWS
#define TILE_LEAST  TILE_PIXELS

MG_INLINE void combine_element(int pixels, int vectors, const mg_f16 *const *a, int k,
                               const mg_f16 *w, mg_tile_f16 *t) {
    mg_halves row[MG_TILE_VECTORS];
    MG_UNROLLED
    for (int j = 0; j < vectors; ++j) {
        row[j] = mg_load(w + j * MG_HALVES);
    }
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        mg_add_row(i, vectors, a[i] + k, row, t);
    }
}

MG_INLINE void move(int pixels, const mg_f16 **a, int32_t step) {
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        a[i] += step;
    }
}

/* n elements that lie side by side. */
MG_INLINE void combine_some(int pixels, int vectors, int32_t n, const mg_f16 **a, const mg_f16 **w,
                            mg_tile_f16 *t) {
    MG_ROLLED
    for (uint32_t whole = (uint32_t)n / MG_UNROLL; whole > 0; --whole) {
        MG_UNROLLED
        for (int k = 0; k < MG_UNROLL; ++k) {
            combine_element(pixels, vectors, a, k, *w, t);
            *w += vectors * MG_HALVES;
        }
        move(pixels, a, MG_UNROLL);
    }
    MG_ROLLED
    for (uint32_t left = (uint32_t)n % MG_UNROLL; left > 0; --left) {
        combine_element(pixels, vectors, a, 0, *w, t);
        *w += vectors * MG_HALVES;
        move(pixels, a, 1);
    }
}

MG_INLINE void store(int pixels, int vectors, int32_t channels, const mg_tile_f16 *t,
                     int32_t channel, mg_f16 *const *result) {
    const int32_t last = channels - (vectors - 1) * MG_HALVES; /* of the last vector */
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        mg_f16 *const to = result[i] + channel;
        MG_UNROLLED
        for (int j = 0; j < vectors - 1; ++j) {
            mg_store(to + j * MG_HALVES, t->sums[i][j]);
        }
        mg_store_first(to + (vectors - 1) * MG_HALVES, t->sums[i][vectors - 1], last);
    }
}

/* The results of `channels` that fill so many vectors; `start`: what their sums start from. */
MG_INLINE void combine(int pixels, int vectors, int32_t channels, const mg_window *v, const ends *q,
                       const mg_f16 *const *source, const mg_f16 *w, const float *start,
                       int32_t channel, mg_f16 *const *result) {
    float total[MG_TILE_SUMS];
    mg_tile_f16 t;
    const mg_f16 *a[MG_TILE_ROWS];
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        a[i] = source[i];
    }
    mg_start_tile(pixels, vectors, start, total, &t);
    int32_t in_row = v->runs;
    MG_ROLLED
    for (int32_t runs = v->rows * v->runs; runs > 0;) {
        MG_ROLLED
        for (int32_t left = v->run; left > 0;) {
            const int32_t n = mg_make_room(pixels, vectors, left, &t);
            combine_some(pixels, vectors, n, a, &w, &t);
            left -= n;
        }
        if (--runs == 0) {
            break;
        }
        const int last = --in_row == 0;
        in_row = last ? v->runs : in_row;
        move(pixels, a, last ? v->source_row : v->source_run);
        w += last ? v->w_row : v->w_run;
    }
    mg_round_tile(pixels, vectors, &t);
    if (q->limited) {
        mg_limit_tile(pixels, vectors, q->range, &t);
    }
    store(pixels, vectors, channels, &t, channel, result);
}

/* With all registers for one tile. */
#define COMBINE(pixels, vectors)                                                                   \
    MG_APART void combine_##pixels##x##vectors(                                                    \
        int32_t channels, const mg_window *v, const ends *q, const mg_f16 *const *source,          \
        const mg_f16 *w, const float *start, int32_t channel, mg_f16 *const *result) {             \
        combine(pixels, vectors, channels, v, q, source, w, start, channel, result);               \
    }

COMBINE(3, 2)
COMBINE(1, 2)
COMBINE(3, 1)
COMBINE(1, 1)

/* Channels in a row of weights, of a layer or part of one with so many in each group. */
static inline int32_t row_of(int32_t channels) {
    return channels > MG_HALVES ? MG_TILE_LANES : MG_HALVES;
}

MG_INLINE void tile(int pixels, int32_t channels, const mg_window *v, const ends *q,
                    const mg_f16 *const *source, const mg_f16 *w, const float *b, int32_t channel,
                    mg_f16 *const *result) {
    (void)b;
    const int32_t row = row_of(channels), blocks = mg_ceil_div(channels, row);
    const float *start = q->starts + channel / channels * blocks * row;
    MG_ROLLED
    for (int32_t left = channels; left > 0; left -= row) {
        if (row == MG_TILE_LANES) {
            (pixels == 1 ? combine_1x2 : combine_3x2)(left, v, q, source, w, start, channel,
                                                      result);
        } else {
            (pixels == 1 ? combine_1x1 : combine_3x1)(left, v, q, source, w, start, channel,
                                                      result);
        }
        w += v->w_channel;
        start += row;
        channel += row;
    }
}

/* Bytes of weights that are laid out at a time, if they have more than one block. */
#define LAID_OUT 8192

/* How many of the `left` last channels of each group fill blocks, unless none does. */
static inline int32_t whole_or_left(int32_t left) {
    return left >= MG_TILE_LANES ? left / MG_TILE_LANES * MG_TILE_LANES : left;
}

/* How many of the `left` last channels of each group are laid out at a time. */
static inline int32_t part_of(int32_t products, int32_t left) {
    const int32_t fit = LAID_OUT / (products * MG_TILE_LANES * (int32_t)sizeof(mg_f16));
    return mg_min(whole_or_left(left), mg_max(fit, 1) * MG_TILE_LANES);
}

/* What is laid out: starts, then blocks of weights. */
typedef struct {
    float *starts;
    mg_f16 *w;
    int32_t starts_group, w_group; /* from a group to the next */
} part;

/* Channels with those that fill up their last row. */
static inline int32_t width_of(int32_t channels) {
    return mg_ceil_div(channels, row_of(channels)) * row_of(channels);
}

static inline part lay_out_at(void *scratch, int32_t groups, int32_t products, int32_t channels) {
    const int32_t width = width_of(channels);
    float *const starts = scratch;
    return (part){starts, (mg_f16 *)(starts + groups * width), width, products * width};
}

static inline size_t part_size(int32_t groups, int32_t products, int32_t channels) {
    const int32_t width = width_of(part_of(products, channels));
    return (size_t)(groups * width) * (sizeof(float) + (size_t)products * sizeof(mg_f16));
}
