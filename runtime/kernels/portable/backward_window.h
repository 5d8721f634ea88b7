/* How the taps of a convolution lie in dy and w, seen from its input. */
#ifndef MG_BACKWARD_WINDOW_H
#define MG_BACKWARD_WINDOW_H

#include "span.h"

/* A run is the output channels of one tap. From tap to tap the source moves back. w_tap and w_step:
 * elements in w from a tap to the next, and from an output channel to the next; a run in w starts
 * where the one before does. */
static inline mg_window mg_backward_window(const mg_conv2d_params *p, const mg_span *rows,
                                           const mg_span *columns, int32_t w_tap, int32_t w_step) {
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const int32_t step_h = mg_tap_step(&down), step_w = mg_tap_step(&across);
    const int32_t back_h = step_h * p->dilation_h / p->stride_h * p->out_w;
    const int32_t back_w = step_w * p->dilation_w / p->stride_w;
    const int32_t turn = columns->taps - 1;
    return (mg_window){
        .rows = rows->taps,
        .runs = columns->taps,
        .run = channels,
        .source_run = -back_w * p->out_c - channels,
        .source_row = (turn * back_w - back_h) * p->out_c - channels,
        .w_run = step_w * w_tap,
        .w_row = (step_h * p->kernel_w - turn * step_w) * w_tap,
        .w_step = w_step,
        .w_channel = 1,
        .w_first = (rows->tap * p->kernel_w + columns->tap) * w_tap,
        .groups = p->groups,
        .depth = depth,
        .source_group = channels,
        .w_group = channels * p->kernel_h * p->kernel_w * depth,
    };
}

#endif
