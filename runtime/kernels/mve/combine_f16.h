/* Sums of rows of weights, each times an element of the source, for up to three pixels at once.
 *
 * Weights are laid out in blocks of up to sixteen neighbouring channels of the result: in the order
 * of the source's elements, the channels of an element side by side. */
#include "span.h"
#include "tile_f16.h"

#define UNROLL 4

#define ELEMENT     mg_f16
#define WEIGHT      mg_f16
#define BIAS        float
#define QUANT       mg_clamp_f32
#define TILE_PIXELS MG_TILE_ROWS

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
    MG_KEEP_ORDER();
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
    for (int32_t fours = n / UNROLL; fours > 0; --fours) {
        MG_UNROLLED
        for (int k = 0; k < UNROLL; ++k) {
            combine_element(pixels, vectors, a, k, *w, t);
            *w += vectors * MG_HALVES;
        }
        move(pixels, a, UNROLL);
    }
    MG_ROLLED
    for (int32_t left = n % UNROLL; left > 0; --left) {
        combine_element(pixels, vectors, a, 0, *w, t);
        *w += vectors * MG_HALVES;
        move(pixels, a, 1);
    }
}

/* The results of `channels` that fill so many vectors; `start`: what their sums start from. */
MG_INLINE void combine(int pixels, int vectors, int32_t channels, const mg_window *v,
                       const mg_clamp_f32 *q, const mg_f16 *const *source, const mg_f16 *w,
                       const float *start, int32_t channel, mg_f16 *const *result) {
    float total[MG_TILE_SUMS];
    mg_tile_f16 t;
    const mg_f16 *a[MG_TILE_ROWS];
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        a[i] = source[i];
    }
    mg_start_tile(pixels, vectors, start, total, &t);
    MG_ROLLED
    for (int32_t rows = v->rows; rows > 0; --rows) {
        MG_ROLLED
        for (int32_t runs = v->runs; runs > 0; --runs) {
            MG_ROLLED
            for (int32_t left = v->run; left > 0;) {
                const int32_t n = mg_make_room(pixels, vectors, left, &t);
                combine_some(pixels, vectors, n, a, &w, &t);
                left -= n;
            }
            move(pixels, a, v->source_run);
            w += v->w_run;
        }
        move(pixels, a, v->source_row - v->source_run);
        w += v->w_row - v->w_run;
    }
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        MG_UNROLLED
        for (int j = 0; j < vectors; ++j) {
            mg_singles sums = mg_total(&t, i, j);
            if (q != NULL) {
                sums = mg_limited(sums, *q);
            }
            mg_f16 *const to = result[i] + channel + j * MG_HALVES;
            const int32_t count = channels - j * MG_HALVES;
            if (count >= MG_HALVES) {
                mg_store(to, mg_rounded(sums));
            } else {
                mg_store_first(to, mg_rounded(sums), count);
            }
        }
    }
}

/* q NULL: no activation */
MG_INLINE void combine_block(int pixels, int32_t channels, const mg_window *v,
                             const mg_clamp_f32 *q, const mg_f16 *const *source, const mg_f16 *w,
                             const float *start, int32_t channel, mg_f16 *const *result) {
    if (channels > MG_HALVES) {
        combine(pixels, 2, channels, v, q, source, w, start, channel, result);
    } else {
        combine(pixels, 1, channels, v, q, source, w, start, channel, result);
    }
}

/* Elements from one row of a block of so many channels to the next. */
static inline int32_t row_of(int32_t channels) {
    return channels > MG_HALVES ? MG_TILE_LANES : MG_HALVES;
}

/* What the weights of a layer need, whose result has so many channels in each group. */
static inline size_t block_size(const mg_conv2d_params *p, int32_t products, int32_t channels) {
    return (size_t)(p->groups * row_of(channels)) *
           (sizeof(float) + (size_t)products * sizeof(mg_f16));
}
