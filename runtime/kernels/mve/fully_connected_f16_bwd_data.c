/* Fully connected layer, half, gradient of the input: rows of weights, each times an element of dy,
 * sixteen inputs at a time. */
#include "tile_f16.h"

/* Gradients of `count` inputs that take so many vectors, from w and dx on; whole: they fill them.
 */
MG_INLINE void tile(int vectors, int whole, int32_t count, int32_t in, int32_t out,
                    const mg_f16 *dy, const mg_f16 *w, mg_f16 *dx) {
    static const float zeros[MG_TILE_LANES] = {0};
    const int32_t last = count - (vectors - 1) * MG_HALVES;
    float total[MG_TILE_SUMS];
    mg_tile_f16 t;
    mg_start_tile(1, vectors, zeros, total, &t);
    MG_ROLLED
    for (int32_t left = out; left > 0;) {
        const int32_t some = mg_make_room(1, vectors, left, &t);
        left -= some;
        MG_ROLLED
        for (int32_t k = some; k > 0; --k) {
            mg_halves lanes[MG_TILE_VECTORS];
            MG_UNROLLED
            for (int v = 0; v < vectors; ++v) {
                const mg_f16 *const from = w + v * MG_HALVES;
                lanes[v] = whole || v < vectors - 1 ? mg_load(from) : mg_load_first(from, last);
            }
            mg_add_row(0, vectors, dy, lanes, &t);
            dy++;
            w += in;
        }
    }
    mg_round_tile(1, vectors, &t);
    MG_UNROLLED
    for (int v = 0; v < vectors; ++v) {
        mg_f16 *const to = dx + v * MG_HALVES;
        if (whole || v < vectors - 1) {
            mg_store(to, t.sums[0][v]);
        } else {
            mg_store_first(to, t.sums[0][v], last);
        }
    }
}

void mg_fully_connected_f16_bwd_data_mve(const mg_fully_connected_params *p, const mg_f16 *dy,
                                         const mg_f16 *w, mg_f16 *dx) {
    for (int32_t r = 0; r < p->rows; ++r, dy += p->out, dx += p->in) {
        for (int32_t i = 0; i < p->in; i += MG_TILE_LANES) {
            const int32_t count = mg_min(p->in - i, MG_TILE_LANES);
            if (count == MG_TILE_LANES) {
                tile(2, 1, count, p->in, p->out, dy, w + i, dx + i);
            } else if (count > MG_HALVES) {
                tile(2, 0, count, p->in, p->out, dy, w + i, dx + i);
            } else {
                tile(1, 0, count, p->in, p->out, dy, w + i, dx + i);
            }
        }
    }
}
