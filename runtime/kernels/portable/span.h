/* Which taps of a sliding window lie inside the image, hoisted out of the inner loops: an
 * axis falls into spans of positions that all see the same taps, so that a kernel sums
 * useful products only and tests no bounds while it does. */
#ifndef MG_SPAN_H
#define MG_SPAN_H

#include "arithmetic.h"

/* One axis of a convolution. */
typedef struct {
    int32_t in, out, kernel, stride, pad, dilation;
} mg_axis;

/* `count` positions from `first` on, each with `taps` taps from `tap` on. The first tap of
 * the first position meets `source` on the other side. The step between positions, between
 * taps and between what they meet follows from the direction. */
typedef struct {
    int32_t first, count, tap, taps, source;
} mg_span;

static inline mg_axis mg_rows(const mg_conv2d_params *p) {
    return (mg_axis){p->in_h, p->out_h, p->kernel_h, p->stride_h, p->pad_top, p->dilation_h};
}

static inline mg_axis mg_columns(const mg_conv2d_params *p) {
    return (mg_axis){p->in_w, p->out_w, p->kernel_w, p->stride_w, p->pad_left, p->dilation_w};
}

static inline int32_t mg_ceil_div(int32_t a, int32_t b) {
    return (a + b - 1) / b;
}

/* Forward: output position o meets inputs o * stride - pad + tap * dilation. */
static inline mg_span mg_forward_taps(const mg_axis *a, int32_t o) {
    const int32_t start = o * a->stride - a->pad;
    const int32_t low = start < 0 ? mg_ceil_div(-start, a->dilation) : 0;
    const int32_t high = mg_min(a->kernel, mg_ceil_div(mg_max(a->in - start, 0), a->dilation));
    return (mg_span){o, 1, low, mg_max(high - low, 0), start + low * a->dilation};
}

/* The span of outputs that starts at `first`. */
static inline mg_span mg_forward_span(const mg_axis *a, int32_t first) {
    mg_span span = mg_forward_taps(a, first);
    while (first + span.count < a->out) {
        const mg_span next = mg_forward_taps(a, first + span.count);
        if (next.tap != span.tap || next.taps != span.taps) {
            break;
        }
        span.count++;
    }
    return span;
}

/* The outputs that one tap feeds from inside the image; `source` is what the first meets. */
static inline mg_span mg_tap_span(const mg_axis *a, int32_t tap) {
    const int32_t start = tap * a->dilation - a->pad;
    const int32_t first = start < 0 ? mg_ceil_div(-start, a->stride) : 0;
    const int32_t end = mg_min(a->out, mg_ceil_div(mg_max(a->in - start, 0), a->stride));
    return (mg_span){first, mg_max(end - first, 0), tap, 1, start + first * a->stride};
}

/* Backward: input positions i, i + stride, ... form a class that meets every tap_step-th tap
 * from the class's own first tap on, and the outputs (i + pad - tap * dilation) / stride. So
 * the holes between strided outputs cost nothing. */
static inline int32_t mg_tap_step(const mg_axis *a) {
    int32_t step = 1;
    while (step * a->dilation % a->stride != 0) {
        step++;
    }
    return step;
}

static inline mg_span mg_backward_taps(const mg_axis *a, int32_t i) {
    const int32_t step = mg_tap_step(a);
    mg_span span = {i, 1, 0, 0, 0};
    for (int32_t tap = 0; tap < a->kernel; ++tap) {
        const int32_t reach = i + a->pad - tap * a->dilation;
        if (reach >= 0 && reach % a->stride == 0 && reach / a->stride < a->out) {
            if (span.taps == 0) {
                span.tap = tap;
                span.source = reach / a->stride;
            }
            span.taps++;
            tap += step - 1;
        }
    }
    return span;
}

/* The span of inputs of one class that starts at `first`. */
static inline mg_span mg_backward_span(const mg_axis *a, int32_t first) {
    mg_span span = mg_backward_taps(a, first);
    while (first + span.count * a->stride < a->in) {
        const mg_span next = mg_backward_taps(a, first + span.count * a->stride);
        if (next.tap != span.tap || next.taps != span.taps) {
            break;
        }
        span.count++;
    }
    return span;
}

/* Walks the positions of a rectangle of two spans, in pixels of both sides. */
typedef struct {
    int32_t left;           /* positions still to come */
    int32_t source, result; /* pixels on either side */
    int32_t column, columns;
    int32_t source_step, source_wrap, result_step, result_wrap;
} mg_cursor;

static inline mg_cursor mg_forward_cursor(const mg_conv2d_params *p, const mg_span *rows,
                                          const mg_span *columns) {
    return (mg_cursor){
        .left = rows->count * columns->count,
        .source = rows->source * p->in_w + columns->source,
        .result = rows->first * p->out_w + columns->first,
        .columns = columns->count,
        .source_step = p->stride_w,
        .source_wrap = p->stride_h * p->in_w - columns->count * p->stride_w,
        .result_step = 1,
        .result_wrap = p->out_w - columns->count,
    };
}

static inline mg_cursor mg_backward_cursor(const mg_conv2d_params *p, const mg_span *rows,
                                           const mg_span *columns) {
    return (mg_cursor){
        .left = rows->count * columns->count,
        .source = rows->source * p->out_w + columns->source,
        .result = rows->first * p->in_w + columns->first,
        .columns = columns->count,
        .source_step = 1,
        .source_wrap = p->out_w - columns->count,
        .result_step = p->stride_w,
        .result_wrap = p->stride_h * p->in_w - columns->count * p->stride_w,
    };
}

static inline void mg_advance(mg_cursor *c) {
    c->left--;
    c->source += c->source_step;
    c->result += c->result_step;
    if (++c->column == c->columns) {
        c->column = 0;
        c->source += c->source_wrap;
        c->result += c->result_wrap;
    }
}

/* How the taps of some results lie in the source and in w, in elements. Taps are walked run
 * by run; a run is contiguous in the source. */
typedef struct {
    int32_t rows, runs, run;        /* rows of taps, runs of a row, elements of a run */
    int32_t source_run, source_row; /* from the end of a run to the next, and to the next row's */
    int32_t w_run, w_row;           /* the same in w */
    int32_t w_step;                 /* in w, from an element of a run to the next */
    int32_t w_channel;              /* in w, from a channel of the result to the next */
    int32_t w_first;                /* the first tap in w */
    int32_t groups, source_group, w_group;
    int32_t depth;      /* of a gradient: channels of the result in a group */
    int32_t multiplier; /* of a depthwise convolution; above 1, tiles have one channel */
} mg_window;

#endif
