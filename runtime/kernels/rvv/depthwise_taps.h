/* Sums over the taps of a depthwise window, for two pixels at once; lanes are channels.
 *
 * Before it is included, REAL and its vectors are there, as by rvv_f16.h. */
#include "depthwise_conv2d_window.h"
#include "finish.h"

#define ELEMENT     REAL
#define WEIGHT      REAL
#define BIAS        REAL
#define QUANT       mg_clamp_f32
#define TILE_PIXELS 2

/* b NULL: no biases; q NULL: no activation. */
MG_INLINE void tile(int pixels, int32_t channels, const mg_window *v, const mg_clamp_f32 *q,
                    const REAL *const *source, const REAL *w, const REAL *b, int32_t channel,
                    REAL *const *result) {
    size_t n;
    for (int32_t left = channels; left > 0; left -= (int32_t)n) {
        n = mg_lanes(left);
        mg_sums first = start(b, channel, n), second = first;
        const REAL *from = source[0] + channel, *other = source[pixels - 1] + channel;
        const REAL *tap = w + channel;
        MG_ROLLED
        for (int32_t rows = v->rows; rows > 0; --rows) {
            MG_ROLLED
            for (int32_t runs = v->runs; runs > 0; --runs) {
                const mg_vector weights = mg_load(tap, n);
                first = mg_add_products(first, mg_load(from, n), weights, n);
                from += v->source_run;
                if (pixels > 1) {
                    second = mg_add_products(second, mg_load(other, n), weights, n);
                    other += v->source_run;
                }
                tap += v->w_run;
            }
            from += v->source_row - v->source_run;
            other += v->source_row - v->source_run;
            tap += v->w_row - v->w_run;
        }
        finish(first, q, result[0] + channel, n);
        if (pixels > 1) {
            finish(second, q, result[1] + channel, n);
        }
        channel += (int32_t)n;
    }
}
