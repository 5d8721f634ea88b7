/* The body of the gradient of a float fully connected layer's input. */
#include "layer_real.h"

#include "combine.h"

void KERNEL(fully_connected, bwd_data_rvv)(const mg_fully_connected_params *p, const REAL *dy,
                                           const REAL *w, REAL *dx) {
    const mg_window v = {.rows = 1, .runs = 1, .run = p->out, .w_step = p->in};
    for (int32_t row = 0; row < p->rows; ++row) {
        const REAL *const from[] = {dy + row * p->out};
        REAL *const to[] = {dx + row * p->in};
        combine(1, p->in, &v, NULL, from, w, NULL, 0, to);
    }
}
