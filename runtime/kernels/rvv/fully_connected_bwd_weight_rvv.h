/* The body of the gradient of a float fully connected layer's weights: the outer product of dy and
 * x, whose lanes are inputs. */
#include "layer_real.h"

/* The weights of some inputs of one row. */
MG_INLINE void strip(const mg_fully_connected_params *p, const REAL *x, const REAL *dy,
                     const REAL *gathered, REAL *dw, size_t n) {
    const mg_vector inputs = mg_load(x, n);
    MG_ROLLED
    for (int32_t o = 0; o < p->out; ++o) {
        finish(mg_add_scaled(start(gathered, 0, n), dy[o], inputs, n), NULL, 0, dw, n);
        gathered = gathered != NULL ? gathered + p->in : NULL;
        dw += p->in;
    }
}

void KERNEL(fully_connected, bwd_weight_rvv)(const mg_fully_connected_params *p, const REAL *x,
                                             const REAL *dy, const REAL *gathered, REAL *dw) {
    for (int32_t row = 0; row < p->rows; ++row) {
        size_t n;
        for (int32_t k = 0; k < p->in; k += (int32_t)n) {
            n = mg_lanes(p->in - k);
            strip(p, x + k, dy, gathered != NULL ? gathered + k : NULL, dw + k, n);
        }
        gathered = dw;
        x += p->in;
        dy += p->out;
    }
}
