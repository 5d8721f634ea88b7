/* The gradient of an input as correlations at unit stride.
 *
 * Along each axis the inputs i, i + stride, ... meet the same taps: a phase. From one input to the
 * next the outputs that they meet move on by one, and from its last tap to its first by `dilation`.
 * So a phase of both axes is a correlation of dy with the taps of w in reverse order.
 */
#ifndef MG_PHASE_H
#define MG_PHASE_H

#include "span.h"

typedef struct {
    int32_t count;            /* inputs */
    int32_t last, step, taps; /* the last tap, and from tap to tap */
    int32_t start, dilation;  /* the output that the last tap of the first input meets */
} mg_phase;

/* Of the inputs first, first + stride, ...; not inline, for its divisions take much flash. */
mg_phase mg_phase_of(const mg_axis *a, int32_t first);

/* The correlation from dy to the inputs of two phases. */
static inline mg_conv2d_params mg_phases(const mg_conv2d_params *p, const mg_phase *rows,
                                         const mg_phase *columns) {
    return (mg_conv2d_params){
        .in_h = p->out_h,
        .in_w = p->out_w,
        .in_c = p->out_c,
        .out_h = rows->count,
        .out_w = columns->count,
        .out_c = p->in_c,
        .groups = p->groups,
        .kernel_h = rows->taps,
        .kernel_w = columns->taps,
        .stride_h = 1,
        .stride_w = 1,
        .pad_top = -rows->start,
        .pad_left = -columns->start,
        .dilation_h = rows->dilation,
        .dilation_w = columns->dilation,
    };
}

#endif
