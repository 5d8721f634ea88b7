/* The gradient of an int8 depthwise convolution's weights, from int16 gradients, and their update:
 * what x correlates to with dy as its window, of which the taps are the stride apart and the
 * results the dilation. */
#include "planes.h"
#include "step_s16.h"
#include "weight_s16.h"

#define ELEMENT int8_t
#define WEIGHT  int16_t
#define RESULT  int8_t
#define CONTEXT update

typedef struct {
    const mg_weight_s16 *q;
    mg_step_s16 *step;
    const int8_t *w;
    int8_t *w_next;
} update;

static inline void lay_out_taps(const mg_layout *l, int32_t rows, const int16_t *dy, int16_t *to) {
    mg_planes_of_s16(l, rows, dy, to);
}

static inline void lay_out(const update *u, const mg_layout *l, int32_t rows, const int8_t *x,
                           int16_t *to) {
    const int32_t minus = -u->q->zero_point;
    mg_planes_of_s8(l, rows, x, mg_pair_of(minus, minus), to);
}

static void finish(const update *u, int32_t channel, int32_t rows, int32_t count,
                   const int32_t *sums, int8_t *w_next, const mg_strides *to) {
    (void)channel;
    for (; rows > 0; --rows, w_next += to->row) {
        for (int32_t i = 0; i < count; ++i) {
            const int32_t dw = mg_weight_sum(*sums++, u->q->shift);
            const int32_t at = (int32_t)(w_next - u->w_next) + i * to->column;
            mg_step_weights_s16(u->step, at, 1, &dw, u->w, u->w_next);
        }
    }
}

#include "depthwise_correlate.h"

static mg_conv2d_params correlation(const mg_conv2d_params *p) {
    mg_conv2d_params all = *p;
    all.out_h = p->kernel_h;
    all.out_w = p->kernel_w;
    all.kernel_h = p->out_h;
    all.kernel_w = p->out_w;
    all.stride_h = p->dilation_h;
    all.stride_w = p->dilation_w;
    all.dilation_h = p->stride_h;
    all.dilation_w = p->stride_w;
    return all;
}

size_t mg_depthwise_conv2d_s16_weight_step_dsp_scratch_size(const mg_conv2d_params *p) {
    const mg_conv2d_params all = correlation(p);
    return planes_size(&all);
}

void mg_depthwise_conv2d_s16_weight_step_dsp(void *scratch, const mg_conv2d_params *p,
                                             const mg_weight_step *q, const int8_t *x,
                                             const int16_t *dy, const int8_t *w,
                                             const int32_t *exponent, const int32_t *updates,
                                             const float *hyper, int8_t *w_next) {
    mg_step_s16 step = mg_step_s16_of(&q->sgd, exponent, updates, hyper);
    const update u = {&q->weight, &step, w, w_next};
    const mg_conv2d_params all = correlation(p);
    const mg_strides to = {p->kernel_w * p->out_c, p->out_c};
    depthwise_correlate(scratch, &all, &u, x, dy, p->out_w * p->out_c, p->out_c, w_next, &to);
}
