/* Sums over the taps of a depthwise window, for two pixels at once: a third leaves no
 * register for what is loaded. Lanes are channels.
 *
 * Before it is included, REAL and its vectors are there, as by rvv_f16.h, and what a layer makes of
 * operands, as by layer_real.h. */
#include "depthwise_conv2d_window.h"
#include "sources.h"

#define ELEMENT     REAL
#define WEIGHT      REAL
#define TILE_PIXELS 2
#define TILE_LEAST  TILE_PIXELS

/* b NULL: no biases; q NULL: no activation. */
MG_INLINE void tile(int pixels, int32_t channels, const mg_window *v, const QUANT *q,
                    const REAL *const *source, const REAL *w, const BIAS *b, int32_t channel,
                    REAL *const *result) {
    size_t n;
    for (int32_t left = channels; left > 0; left -= (int32_t)n) {
        n = mg_lanes(left);
        mg_sums first = start(b, channel, n), second = first;
        const REAL *a[TILE_PIXELS], *tap = w + channel;
        MG_UNROLLED
        for (int i = 0; i < pixels; ++i) {
            a[i] = source[i] + channel;
        }
        MG_ROLLED
        for (int32_t rows = v->rows; rows > 0; --rows) {
            MG_ROLLED
            for (int32_t runs = v->runs; runs > 0; --runs) {
                const mg_vector weights = mg_load(tap, n);
                first = mg_add_products(first, inputs(q, a[0], n), weights, n);
                if (pixels > 1) {
                    second = mg_add_products(second, inputs(q, a[1], n), weights, n);
                }
                move_on(pixels, a, v->source_run);
                tap += v->w_run;
            }
            move_on(pixels, a, v->source_row - v->source_run);
            tap += v->w_row - v->w_run;
        }
        finish(first, q, channel, result[0], n);
        if (pixels > 1) {
            finish(second, q, channel, result[1], n);
        }
        channel += (int32_t)n;
    }
}
