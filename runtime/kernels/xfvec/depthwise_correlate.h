/* Depthwise correlations with three by three taps at unit stride across. */
#ifndef MG_DEPTHWISE_CORRELATE_H
#define MG_DEPTHWISE_CORRELATE_H

#include <stddef.h>

#include "depthwise.h"

/* p: 3 x 3 taps, stride and dilation 1, at most 2 columns of padding, in_c = out_c even; w: the
 * taps of all channels, `tap` halves from one to the next; b, q: or NULL. */
void mg_depthwise_correlate(const mg_conv2d_params *p, const mg_clamp_f32 *q, const mg_f16 *x,
                            const mg_f16 *w, int32_t tap, const mg_f16 *b, mg_f16 *y);

#endif
