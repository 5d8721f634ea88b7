/* Correlations: every position of the result sums the products of its window of x with the rows
 * of weights of all channels. */
#ifndef MG_CORRELATE_H
#define MG_CORRELATE_H

#include "halves.h"

/* Where results go: the first, and the halves to the next row and column. */
typedef struct {
    mg_f16 *first;
    int32_t row, column;
} mg_spread;

/* Products of a window. A row of weights holds as many halves, made even by a zero. */
static inline int32_t mg_products(const mg_conv2d_params *p) {
    return p->kernel_h * p->kernel_w * p->in_c;
}

/* Halves that a correlation works in. */
size_t mg_windows_size(const mg_conv2d_params *p);

/* p: of one group, and with a tap; work: mg_windows_size(p), unused if all windows are words of x;
 * w: [out_c][mg_even(mg_products(p))]; b: [out_c] or NULL; q NULL: no activation. */
void mg_correlate(const mg_conv2d_params *p, const mg_clamp_f32 *q, mg_f16 *work, const mg_f16 *x,
                  const mg_f16 *w, const mg_f16 *b, const mg_spread *y);

#endif
