/* Sums of rows of weights, each times an element of the source, for up to three pixels at once:
 * convolutions whose weights are contiguous along the channels of the result.
 *
 * Before it is included, REAL and its vectors are there, as by rvv_f16.h, and what a layer makes of
 * operands, as by layer_real.h. */
#include "sources.h"
#include "span.h"

#define PIXELS 3
#define UNROLL 8

/* Adds w times element k of each source. */
MG_INLINE void combine_row(int pixels, const QUANT *q, const REAL *const *a, int32_t k, mg_vector w,
                           size_t n, mg_sums *first, mg_sums *second, mg_sums *third) {
    *first = mg_add_scaled(*first, factor(q, a[0][k]), w, n);
    if (pixels > 1) {
        *second = mg_add_scaled(*second, factor(q, a[1][k]), w, n);
    }
    if (pixels > 2) {
        *third = mg_add_scaled(*third, factor(q, a[2][k]), w, n);
    }
}

/* A run of the source, whose rows of weights begin at `row`. */
MG_INLINE void combine_run(int pixels, const mg_window *v, const QUANT *q, const REAL **a,
                           const REAL *row, size_t n, mg_sums *first, mg_sums *second,
                           mg_sums *third) {
    const REAL *const end = a[0] + v->run, *const last = end - v->run % UNROLL;
    MG_ROLLED
    while (a[0] != last) {
        MG_UNROLLED
        for (int32_t u = 0; u < UNROLL; ++u) {
            combine_row(pixels, q, a, u, mg_load(row, n), n, first, second, third);
            row += v->w_step;
            if (u == UNROLL / 2 - 1) {
                MG_KEEP_ORDER(); /* or loads of weights that are hoisted spill registers */
            }
        }
        move_on(pixels, a, UNROLL);
    }
    MG_ROLLED
    while (a[0] != end) {
        combine_row(pixels, q, a, 0, mg_load(row, n), n, first, second, third);
        row += v->w_step;
        move_on(pixels, a, 1);
    }
}

/* The sums of all taps, from `channel` on; b NULL: no biases. */
MG_INLINE void combine(int pixels, int32_t channels, const mg_window *v, const QUANT *q,
                       const REAL *const *source, const REAL *w, const BIAS *b, int32_t channel,
                       REAL *const *result) {
    size_t n;
    for (int32_t left = channels; left > 0; left -= (int32_t)n) {
        n = mg_lanes(left);
        mg_sums first = start(b, channel, n), second = first, third = first;
        const REAL *a[PIXELS], *taps = w;
        MG_UNROLLED
        for (int i = 0; i < pixels; ++i) {
            a[i] = source[i];
        }
        MG_ROLLED
        for (int32_t rows = v->rows; rows > 0; --rows) {
            MG_ROLLED
            for (int32_t runs = v->runs; runs > 0; --runs) {
                combine_run(pixels, v, q, a, taps, n, &first, &second, &third);
                move_on(pixels, a, v->source_run);
                taps += v->w_run;
            }
            move_on(pixels, a, v->source_row - v->source_run);
            taps += v->w_row - v->w_run;
        }
        finish(first, q, channel, result[0], n);
        if (pixels > 1) {
            finish(second, q, channel, result[1], n);
        }
        if (pixels > 2) {
            finish(third, q, channel, result[2], n);
        }
        channel += (int32_t)n;
        w += n;
    }
}
