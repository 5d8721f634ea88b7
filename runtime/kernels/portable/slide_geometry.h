/* What a sweep of depthwise kernels for 3x3 windows at unit stride goes over. */
#ifndef MG_SLIDE_GEOMETRY_H
#define MG_SLIDE_GEOMETRY_H

#include "arithmetic.h"

/* Sizes of both sides, and steps in w from tap to tap. */
typedef struct {
    int32_t source_h, source_w, result_h, result_w, channels;
    int32_t pad_top, pad_left;
    int32_t w_row, w_column;
} slide;

/* Forward, from x to y. */
static inline slide slide_forward(const mg_conv2d_params *p) {
    return (slide){
        .source_h = p->in_h,
        .source_w = p->in_w,
        .result_h = p->out_h,
        .result_w = p->out_w,
        .channels = p->in_c,
        .pad_top = p->pad_top,
        .pad_left = p->pad_left,
        .w_row = 3 * p->in_c,
        .w_column = p->in_c,
    };
}

/* From dy to dx, where w begins at its last tap. */
static inline slide slide_backward(const mg_conv2d_params *p) {
    return (slide){
        .source_h = p->out_h,
        .source_w = p->out_w,
        .result_h = p->in_h,
        .result_w = p->in_w,
        .channels = p->in_c,
        .pad_top = 2 - p->pad_top,
        .pad_left = 2 - p->pad_left,
        .w_row = -3 * p->in_c,
        .w_column = -p->in_c,
    };
}

#endif
