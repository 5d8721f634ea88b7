/* The body of the gradient of a convolution's input; its weights are those of weight_f32.h or
 * weight_s8.h, which stands before it. */
#include "combine.h"
#include "span.h"

#define ELEMENT       float
#define BIAS          void
#define TILE_PIXELS   MG_TILE
#define TILE_CHANNELS MG_TILE

/* A run is the output channels of one tap. From tap to tap the source moves back. */
static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
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
        .w_run = step_w * depth,
        .w_row = (step_h * p->kernel_w - turn * step_w) * depth,
        .w_step = p->kernel_h * p->kernel_w * depth,
        .w_channel = 1,
        .w_first = (rows->tap * p->kernel_w + columns->tap) * depth,
        .groups = p->groups,
        .depth = depth,
        .source_group = channels,
        .w_group = channels * p->kernel_h * p->kernel_w * depth,
    };
}

MG_INLINE void tile(int pixels, int channels, const mg_window *v, const QUANT *q,
                    const float *const *dy, const WEIGHT *w, const void *b, int32_t channel,
                    float *const *dx) {
    (void)b;
    mg_sums_f32 sums;
    mg_clear_f32(pixels, channels, sums);
    const float *from[MG_TILE] = {dy[0]};
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        from[i] = dy[i];
    }
    const int32_t first = channel / v->depth * v->run;
    int32_t in_row = v->runs;
    MG_ROLLED
    for (int32_t left = v->rows * v->runs; left > 0; --left) {
        combine(pixels, channels, v->run, from, w, v->w_step, q, first, sums);
        const int last = --in_row == 0;
        in_row = last ? v->runs : in_row;
        mg_move_f32(pixels, from, last ? v->source_row : v->source_run);
        w += last ? v->w_row : v->w_run;
    }
    mg_store_f32(pixels, channels, sums, NULL, channel, dx);
}

#include "walk.h"
