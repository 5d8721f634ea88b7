/* The body of a float convolution of few output channels. */
#include "planes.h"

size_t KERNEL(conv2d, fwd_rvv_planes_scratch_size)(const mg_conv2d_params *p) {
    return (size_t)(planes_size(p) + packed_size(p)) * sizeof(REAL);
}

void KERNEL(conv2d, fwd_rvv_planes)(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                    const REAL *x, const REAL *w, const REAL *b, REAL *y) {
    REAL *const planes = scratch, *const packed = planes + planes_size(p);
    const int32_t products = products_of(p);
    for (int32_t c = 0; c < p->out_c; c += RESULTS) {
        copy(mg_min(p->out_c - c, RESULTS), products, w + c * products, products, 1,
             packed + c * products, 1, RESULTS);
    }
    correlate(p, q, planes, x, packed, b, y);
}
