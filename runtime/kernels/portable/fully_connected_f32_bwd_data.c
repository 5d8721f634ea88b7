/* Fully connected layer, float, gradient of the input. */
#include "tile_f32.h"

/* `width` inputs of one row. */
MG_INLINE void tile(int width, const mg_fully_connected_params *p, const float *dy, const float *w,
                    float *dx) {
    mg_sums_f32 sums;
    mg_clear_f32(1, width, sums);
    mg_combine_f32(1, width, p->out, &dy, w, p->in, sums);
    mg_store_f32(1, width, sums, NULL, 0, &dx);
}

void mg_fully_connected_f32_bwd_data(const mg_fully_connected_params *p, const float *dy,
                                     const float *w, float *dx) {
    for (int32_t row = 0; row < p->rows; ++row) {
        int32_t i = 0;
        for (; i + MG_WIDE <= p->in; i += MG_WIDE) {
            tile(MG_WIDE, p, dy, w + i, dx + i);
        }
        for (; i < p->in; ++i) {
            tile(1, p, dy, w + i, dx + i);
        }
        dy += p->out;
        dx += p->in;
    }
}
