/* How the taps of forward convolutions lie in x and w. */
#ifndef MG_CONV2D_WINDOW_H
#define MG_CONV2D_WINDOW_H

#include "span.h"

/* w_channel and w_step: elements from a channel's weights to the next channel's, and from one of
 * its weights to the next. */
static inline mg_window mg_conv2d_window(const mg_conv2d_params *p, const mg_span *rows,
                                         const mg_span *columns, int32_t w_channel,
                                         int32_t w_step) {
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    /* Neighbouring taps may be contiguous in x as they are in w. */
    const int merged = p->dilation_w == 1 && p->groups == 1;
    const int32_t runs = merged ? mg_min(columns->taps, 1) : columns->taps;
    const int32_t run = merged ? columns->taps * depth : depth;
    const int32_t x_tap = p->dilation_w * p->in_c;
    return (mg_window){
        .rows = rows->taps,
        .runs = runs,
        .run = run,
        .source_run = x_tap - run,
        .source_row = p->dilation_h * p->in_w * p->in_c - (runs - 1) * x_tap - run,
        .w_run = 0,
        .w_row = (p->kernel_w - columns->taps) * depth * w_step,
        .w_step = w_step,
        .w_channel = w_channel,
        .w_first = (rows->tap * p->kernel_w + columns->tap) * depth * w_step,
        .groups = p->groups,
        .source_group = depth,
        .w_group = channels * p->kernel_h * p->kernel_w * depth,
    };
}

#endif
