/* The body of a float convolution of few output channels. */
#include "planes.h"

/* w: from the weights of a channel to the next one's, and from product to product. */
MG_APART void convolve(REAL *planes, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                       const REAL *x, const REAL *w, int32_t w_channel, int32_t w_step,
                       const REAL *b, REAL *y) {
    REAL *const packed = planes + planes_size(p);
    const int32_t products = products_of(p);
    for (int32_t c = 0; c < p->out_c; c += RESULTS) {
        copy(mg_min(p->out_c - c, RESULTS), products, w + c * w_channel, w_channel, w_step,
             packed + c * products, 1, RESULTS);
    }
    correlate(p, q, planes, x, packed, b, y);
}

size_t KERNEL(conv2d, fwd_rvv_planes_scratch_size)(const mg_conv2d_params *p) {
    return (size_t)(planes_size(p) + packed_size(p)) * sizeof(REAL);
}

void KERNEL(conv2d, fwd_rvv_planes)(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                    const REAL *x, const REAL *w, const REAL *b, REAL *y) {
    convolve(scratch, p, q, x, w, products_of(p), 1, b, y);
}

size_t KERNEL(conv2d, fwd_rvv_planes_packed_scratch_size)(const mg_conv2d_params *p) {
    return KERNEL(conv2d, fwd_rvv_planes_scratch_size)(p);
}

/* w [products][channels] */
void KERNEL(conv2d, fwd_rvv_planes_packed)(void *scratch, const mg_conv2d_params *p,
                                           const mg_clamp_f32 *q, const REAL *x, const REAL *w,
                                           const REAL *b, REAL *y) {
    convolve(scratch, p, q, x, w, 1, p->out_c, b, y);
}
