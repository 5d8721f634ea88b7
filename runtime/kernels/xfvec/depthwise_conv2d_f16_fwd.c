/* Depthwise convolution in half precision. */
#include "depthwise_correlate.h"

void mg_depthwise_conv2d_f16_fwd_xfvec(const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                       const mg_f16 *x, const mg_f16 *w, const mg_f16 *b,
                                       mg_f16 *y) {
    mg_depthwise_correlate(p, q, x, w, p->out_c, b, y);
}
