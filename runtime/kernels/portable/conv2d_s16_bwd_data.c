/* The gradient of an int8 convolution's input, in int16. */
#include "conv2d_backward_window.h"
#include "integer_gradient.h"
#include "tile.h"

#define ELEMENT     int16_t
#define WEIGHT      int8_t
#define BIAS        void
#define QUANT       mg_narrowing
#define TILE_PIXELS 2
#define TILE_LEAST  TILE_PIXELS
#ifdef __arm__
#define TILE_CHANNELS 3 /* as many sums as the registers hold */
#else
#define TILE_CHANNELS 4
#endif

MG_INLINE void step(int pixels, int channels, const int16_t *const *from, const int8_t *factors,
                    int k, int32_t sums[TILE_PIXELS][TILE_CHANNELS]) {
    int32_t values[TILE_PIXELS];
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        values[i] = from[i][k];
    }
    MG_UNROLLED
    for (int j = 0; j < channels; ++j) {
        const int32_t factor = factors[j];
        MG_UNROLLED
        for (int i = 0; i < pixels; ++i) {
            sums[i][j] += values[i] * factor;
            MG_COMPLETE(sums[i][j]);
        }
    }
}

MG_INLINE void tile(int pixels, int channels, const mg_window *v, const mg_narrowing *q,
                    const int16_t *const *dy, const int8_t *w, const void *b, int32_t channel,
                    int16_t *const *dx) {
    (void)b;
    int32_t sums[TILE_PIXELS][TILE_CHANNELS] = {{0}};
    const int16_t *from[TILE_PIXELS] = {dy[0]};
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        from[i] = dy[i];
    }
    int32_t in_row = v->runs;
    MG_ROLLED
    for (int32_t left = v->rows * v->runs; left > 0; --left) {
        const int8_t *factors = w;
        int32_t n = v->run;
        MG_ROLLED
        for (; n >= MG_UNROLL; n -= MG_UNROLL) {
            MG_UNROLLED
            for (int k = 0; k < MG_UNROLL; ++k) {
                step(pixels, channels, from, factors, k, sums);
                factors += v->w_step;
                MG_COMPLETE(factors); /* or each step would have a pointer of its own */
            }
            MG_UNROLLED
            for (int i = 0; i < pixels; ++i) {
                from[i] += MG_UNROLL;
            }
        }
        MG_ROLLED
        for (; n > 0; --n) {
            step(pixels, channels, from, factors, 0, sums);
            MG_UNROLLED
            for (int i = 0; i < pixels; ++i) {
                from[i]++;
            }
            factors += v->w_step;
        }
        const int last = --in_row == 0;
        in_row = last ? v->runs : in_row;
        MG_UNROLLED
        for (int i = 0; i < pixels; ++i) {
            from[i] += last ? v->source_row : v->source_run;
        }
        w += last ? v->w_row : v->w_run;
    }
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        MG_UNROLLED
        for (int j = 0; j < channels; ++j) {
            dx[i][channel + j] = mg_narrowed(*q, sums[i][j]);
        }
    }
}

#include "walk.h"

void mg_conv2d_s16_bwd_data(const mg_conv2d_params *p, const int16_t *dy, const int8_t *w,
                            const int32_t *exponent, const int32_t *range, int16_t *dx,
                            int32_t *dx_exponent, int32_t *range_next) {
    uint32_t seen = 0;
    const mg_narrowing q = mg_narrowing_of(exponent, range, &seen);
    const uint32_t tiles = mg_grains((uint32_t)p->in_c, TILE_CHANNELS);
    walk_backward(p, &q, dy, w, dx, p->in_c, mg_grid_of((uint32_t)p->in_h, tiles));
    mg_finish(q, exponent, range, dx_exponent, range_next);
}
