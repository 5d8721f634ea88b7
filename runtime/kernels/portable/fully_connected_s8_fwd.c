/* Fully connected layer, int8, forward. */
#include "arithmetic.h"
#include "mg_cores.h"
#include "tile.h"

#define TILE 4

/* sums[j] += sum over k < n of (x[k] - zero_point) * w[j * w_channel + k] */
MG_INLINE void products(int channels, int32_t n, const int8_t *x, int32_t zero_point,
                        const int8_t *w, int32_t *sums) {
    const int8_t *weights[TILE];
    MG_UNROLLED
    for (int j = 0; j < channels; ++j) {
        weights[j] = w + j * n;
    }
    for (int32_t k = 0; k < n; ++k) {
        const int32_t centred = x[k] - zero_point;
        MG_UNROLLED
        for (int j = 0; j < channels; ++j) {
            sums[j] += centred * weights[j][k];
        }
    }
}

/* `channels` results of one row. */
MG_INLINE void tile(int channels, const mg_fully_connected_params *p, const mg_rescale_s8 *q,
                    const int8_t *x, const int8_t *w, const int32_t *b, int32_t channel,
                    int8_t *y) {
    int32_t sums[TILE];
    MG_UNROLLED
    for (int j = 0; j < channels; ++j) {
        sums[j] = b != NULL ? b[channel + j] : 0;
    }
    products(channels, p->in, x, q->input_zero_point, w + channel * p->in, sums);
    for (int j = 0; j < channels; ++j) {
        y[channel + j] = mg_rescaled_s8(q, channel + j, sums[j]);
    }
}

void mg_fully_connected_s8_fwd(const mg_fully_connected_params *p, const mg_rescale_s8 *q,
                               const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y) {
    const mg_part part = mg_share(p->out, 1);
    for (int32_t row = 0; row < p->rows; ++row, x += p->in, y += p->out) {
        int32_t channel = part.first;
        for (; channel + TILE <= part.end; channel += TILE) {
            tile(TILE, p, q, x, w, b, channel, y);
        }
        for (; channel < part.end; ++channel) {
            tile(1, p, q, x, w, b, channel, y);
        }
    }
}
