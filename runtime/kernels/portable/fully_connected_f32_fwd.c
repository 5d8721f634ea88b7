/* Fully connected layer, float, forward. */
#include "mg_kernels.h"

#include "tile_f32.h"

/* A few outputs of one row, from `channel` on. */
MG_INLINE void tile(int width, const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                    const float *x, const float *w, const float *b, int32_t channel, float *y) {
    const float *from[MG_TILE];
    mg_sums_f32 sums;
    MG_UNROLLED
    for (int j = 0; j < width; ++j) {
        from[j] = w + (channel + j) * p->in;
    }
    mg_start_f32(1, width, b, channel, sums);
    mg_dot_f32(1, width, p->in, &x, from, sums);
    mg_store_f32(1, width, sums, q, channel, &y);
}

void mg_fully_connected_f32_fwd(const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                                const float *x, const float *w, const float *b, float *y) {
    for (int32_t row = 0; row < p->rows; ++row) {
        int32_t channel = 0;
        for (; channel + MG_TILE <= p->out; channel += MG_TILE) {
            tile(MG_TILE, p, q, x, w, b, channel, y);
        }
        for (; channel < p->out; ++channel) {
            tile(1, p, q, x, w, b, channel, y);
        }
        x += p->in;
        y += p->out;
    }
}
