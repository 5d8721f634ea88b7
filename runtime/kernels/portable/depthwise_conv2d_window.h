/* How the taps of depthwise convolutions lie in the source and in w. */
#ifndef MG_DEPTHWISE_CONV2D_WINDOW_H
#define MG_DEPTHWISE_CONV2D_WINDOW_H

#include "span.h"
#include "tile.h"

/* x is the source; an output channel has one element of a tap. */
static inline mg_window mg_depthwise_forward_window(const mg_conv2d_params *p, const mg_span *rows,
                                                    const mg_span *columns) {
    const int32_t x_tap = p->dilation_w * p->in_c, turn = columns->taps - 1;
    return (mg_window){
        .rows = rows->taps,
        .runs = columns->taps,
        .run = 1,
        .source_run = x_tap,
        .source_row = p->dilation_h * p->in_w * p->in_c - turn * x_tap,
        .w_run = p->out_c,
        .w_row = (p->kernel_w - turn) * p->out_c,
        .w_channel = 1,
        .w_first = (rows->tap * p->kernel_w + columns->tap) * p->out_c,
        .groups = 1,
        .multiplier = p->out_c / p->in_c,
    };
}

/* dy is the source; an input channel has `multiplier` elements of a tap. */
static inline mg_window mg_depthwise_backward_window(const mg_conv2d_params *p, const mg_span *rows,
                                                     const mg_span *columns) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const int32_t step_h = mg_tap_step(&down), step_w = mg_tap_step(&across);
    const int32_t back_h = step_h * p->dilation_h / p->stride_h * p->out_w;
    const int32_t back_w = step_w * p->dilation_w / p->stride_w;
    const int32_t turn = columns->taps - 1, multiplier = p->out_c / p->in_c;
    return (mg_window){
        .rows = rows->taps,
        .runs = columns->taps,
        .run = multiplier,
        .source_run = -back_w * p->out_c,
        .source_row = (turn * back_w - back_h) * p->out_c,
        .w_run = step_w * p->out_c,
        .w_row = (step_h * p->kernel_w - turn * step_w) * p->out_c,
        .w_channel = multiplier,
        .w_first = (rows->tap * p->kernel_w + columns->tap) * p->out_c,
        .groups = 1,
        .multiplier = multiplier,
    };
}

/* Whether the sweeps made for 3x3 windows at unit stride apply, from a source to a result of
 * these sizes: where every row of results meets at least two rows of the source. */
static inline int mg_slides(const mg_conv2d_params *p, int32_t source_h, int32_t source_w,
                            int32_t result_h, int32_t pad_top) {
    return p->kernel_h == 3 && p->kernel_w == 3 && p->stride_h == 1 && p->stride_w == 1 &&
           p->dilation_h == 1 && p->dilation_w == 1 && p->in_c == p->out_c && p->in_c >= MG_LANES &&
           p->pad_left <= 2 && source_h >= 2 && source_w >= 2 && 0 <= pad_top && pad_top <= 1 &&
           result_h - pad_top + 1 <= source_h;
}

#endif
