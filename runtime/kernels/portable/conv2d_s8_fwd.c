/* Convolution, int8, forward. */
#include "conv2d_window.h"
#include "tile_s8.h"

#define ELEMENT       int8_t
#define WEIGHT        int8_t
#define BIAS          int32_t
#define QUANT         mg_requant_s8
#define TILE_PIXELS   MG_TILE_ROWS_S8
#define TILE_CHANNELS MG_TILE_COLUMNS_S8

MG_INLINE void tile(int pixels, int channels, const mg_window *v, const mg_requant_s8 *q,
                    const int8_t *const *x, const int8_t *w, const int32_t *b, int32_t channel,
                    int8_t *const *y) {
    mg_sums_s8 sums;
    mg_start_s8(pixels, channels, b, channel, sums);
    const int8_t *from[TILE_PIXELS], *weights[TILE_CHANNELS];
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        from[i] = x[i];
    }
    MG_UNROLLED
    for (int j = 0; j < channels; ++j) {
        weights[j] = w + j * v->w_channel;
    }
    int32_t in_row = v->runs;
    MG_ROLLED
    for (int32_t left = v->rows * v->runs; left > 0; --left) {
        mg_dot_s8(pixels, channels, v->run, from, q->input_zero_point, weights, sums);
        const int last = --in_row == 0;
        in_row = last ? v->runs : in_row;
        mg_move_s8(pixels, from, last ? v->source_row : v->source_run);
        mg_move_s8(channels, weights, last ? v->w_row : v->w_run);
    }
    mg_store_s8(pixels, channels, sums, q, channel, y);
}

#include "walk.h"

void mg_conv2d_s8_fwd(const mg_conv2d_params *p, const mg_requant_s8 *q, const int8_t *x,
                      const int8_t *w, const int32_t *b, int8_t *y) {
    walk_forward(p, q, x, w, b, y);
}
