/* The gradient of a depthwise convolution's input in half precision: dy correlated with the taps
 * in reverse order. */
#include "depthwise_correlate.h"

void mg_depthwise_conv2d_f16_bwd_data_xfvec(const mg_conv2d_params *p, const mg_f16 *dy,
                                            const mg_f16 *w, mg_f16 *dx) {
    mg_conv2d_params turned = *p;
    turned.in_h = p->out_h;
    turned.in_w = p->out_w;
    turned.out_h = p->in_h;
    turned.out_w = p->in_w;
    turned.pad_top = MG_TAPS - 1 - p->pad_top;
    turned.pad_left = MG_TAPS - 1 - p->pad_left;
    mg_depthwise_correlate(&turned, NULL, dy, w + (MG_TAPS * MG_TAPS - 1) * p->out_c, -p->out_c,
                           NULL, dx);
}
