/* How the taps of a convolution lie in dy and w as it is stored, seen from its input. */
#ifndef MG_CONV2D_BACKWARD_WINDOW_H
#define MG_CONV2D_BACKWARD_WINDOW_H

#include "backward_window.h"

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    const int32_t depth = p->in_c / p->groups;
    return mg_backward_window(p, rows, columns, depth, p->kernel_h * p->kernel_w * depth);
}

#endif
