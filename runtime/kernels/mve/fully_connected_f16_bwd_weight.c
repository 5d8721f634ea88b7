/* Fully connected layer, half, gradient of the weights: a row of x times each element of dy. */
#include "mve_f16.h"

/* Eight weights; whole: not fewer. */
MG_INLINE void outer(int whole, int adds, int32_t count, const mg_f16 *x, mg_f16 dy,
                     const mg_f16 *gathered, mg_f16 *dw) {
    const mg_halves row = whole ? mg_load(x) : mg_load_first(x, count);
    mg_halves sums;
    if (adds) {
        sums = whole ? mg_load(gathered) : mg_load_first(gathered, count);
        sums = mg_add_scaled(sums, &dy, row);
    } else {
        sums = mg_scaled(&dy, row);
    }
    if (whole) {
        mg_store(dw, sums);
    } else {
        mg_store_first(dw, sums, count);
    }
}

/* The weights of an output. */
MG_INLINE void row_of_weights(int adds, int32_t in, const mg_f16 *x, mg_f16 dy,
                              const mg_f16 *gathered, mg_f16 *dw) {
    MG_ROLLED
    for (int32_t left = in / MG_HALVES; left > 0; --left) {
        outer(1, adds, MG_HALVES, x, dy, gathered, dw);
        x += MG_HALVES;
        dw += MG_HALVES;
        gathered = adds ? gathered + MG_HALVES : NULL;
    }
    if (in % MG_HALVES != 0) {
        outer(0, adds, in % MG_HALVES, x, dy, gathered, dw);
    }
}

void mg_fully_connected_f16_bwd_weight_mve(const mg_fully_connected_params *p, const mg_f16 *x,
                                           const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw) {
    for (int32_t r = 0; r < p->rows; ++r, x += p->in, dy += p->out) {
        for (int32_t o = 0; o < p->out; ++o) {
            mg_f16 *const to = dw + o * p->in;
            if (gathered != NULL) {
                row_of_weights(1, p->in, x, dy[o], gathered + o * p->in, to);
            } else {
                row_of_weights(0, p->in, x, dy[o], NULL, to);
            }
        }
        gathered = dw;
    }
}
