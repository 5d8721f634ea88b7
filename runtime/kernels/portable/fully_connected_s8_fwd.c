/* Fully connected layer, int8, forward. */
#include "tile_s8.h"

/* `channels` results of one row. */
MG_INLINE void tile(int channels, const mg_fully_connected_params *p, const mg_rescale_s8 *q,
                    const int8_t *x, const int8_t *w, const int32_t *b, int32_t channel,
                    int8_t *y) {
    mg_sums_s8 sums;
    const int8_t *weights[MG_TILE_COLUMNS_S8];
    MG_UNROLLED
    for (int j = 0; j < channels; ++j) {
        weights[j] = w + (channel + j) * p->in;
    }
    mg_start_s8(1, channels, b, channel, sums);
    mg_dot_s8(1, channels, p->in, &x, q->input_zero_point, weights, sums);
    for (int j = 0; j < channels; ++j) {
        y[channel + j] = mg_rescaled_s8(q, channel + j, sums[0][j]);
    }
}

void mg_fully_connected_s8_fwd(const mg_fully_connected_params *p, const mg_rescale_s8 *q,
                               const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y) {
    for (int32_t row = 0; row < p->rows; ++row, x += p->in, y += p->out) {
        int32_t channel = 0;
        for (; channel + MG_TILE_COLUMNS_S8 <= p->out; channel += MG_TILE_COLUMNS_S8) {
            tile(MG_TILE_COLUMNS_S8, p, q, x, w, b, channel, y);
        }
        for (; channel < p->out; ++channel) {
            tile(1, p, q, x, w, b, channel, y);
        }
    }
}
