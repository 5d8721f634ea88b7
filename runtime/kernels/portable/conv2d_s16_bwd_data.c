/* The gradient of an int8 convolution's input, in int16. */
#include "conv2d_backward_window.h"
#include "integer_gradient.h"
#include "tile.h"

#define ELEMENT       int16_t
#define WEIGHT        int8_t
#define BIAS          void
#define QUANT         mg_narrowing
#define TILE_PIXELS   2
#define TILE_CHANNELS 4

MG_INLINE void tile(int pixels, int channels, const mg_window *v, const mg_narrowing *q,
                    const int16_t *const *dy, const int8_t *w, const void *b, int32_t channel,
                    int16_t *const *dx) {
    (void)b;
    int32_t sums[TILE_PIXELS][TILE_CHANNELS] = {{0}};
    const int16_t *from[TILE_PIXELS];
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        from[i] = dy[i];
    }
    int32_t in_row = v->runs;
    MG_ROLLED
    for (int32_t left = v->rows * v->runs; left > 0; --left) {
        const int8_t *factor = w;
        MG_ROLLED
        for (const int16_t *const end = from[0] + v->run; from[0] != end;) {
            MG_UNROLLED
            for (int i = 0; i < pixels; ++i) {
                const int32_t value = *from[i]++;
                MG_UNROLLED
                for (int j = 0; j < channels; ++j) {
                    sums[i][j] += value * factor[j];
                }
            }
            factor += v->w_step;
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
    walk_backward(p, &q, dy, w, dx);
    mg_finish(q, exponent, range, dx_exponent, range_next);
}
