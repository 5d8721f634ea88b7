/* The body of the sum of two float operands of one shape. */
#include "layer_real.h"

void KERNEL(add, fwd_rvv)(const mg_elementwise_params *p, const mg_clamp_f32 *q, const REAL *a,
                          const REAL *b, REAL *y) {
    size_t n;
    for (int32_t left = p->shape[0] * p->shape[1] * p->shape[2] * p->shape[3]; left > 0;
         left -= (int32_t)n) {
        n = mg_lanes(left);
        const mg_vector other = mg_load(b, n);
        finish(mg_add_scaled(start(a, 0, n), (REAL)1.0f, other, n), q, 0, y, n);
        a += n;
        b += n;
        y += n;
    }
}
