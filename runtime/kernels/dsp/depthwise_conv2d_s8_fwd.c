/* Depthwise convolution, int8, forward. */
#include "planes.h"
#include "requantize_s8.h"

#define ELEMENT int8_t
#define RESULT  int8_t
#define FINISH  finishing
#define CONTEXT layer

typedef struct {
    mg_channel_s8 channel;
    int32_t zero_point; /* of the result */
} finishing;

typedef struct {
    const mg_requant_s8 *q;
    const int32_t *b;
    int32_t products;
} layer;

static inline void lay_out(const layer *l, int32_t planes, int32_t count, const int8_t *x,
                           int32_t step, int16_t *to, int32_t plane) {
    const int32_t minus = -l->q->input_zero_point;
    mg_row_of_s8(planes, count, x, step, mg_pair_of(minus, minus), to, plane);
}

static inline finishing finish_of(const layer *l, int32_t channel) {
    return (finishing){mg_channel_of_s8(l->q, channel, l->b, l->products), l->q->output_zero_point};
}

MG_INLINE int32_t start(const finishing *f) {
    return f->channel.bias;
}

static __attribute__((noinline)) void finish_any(const finishing *f, const int32_t *sums, int8_t *y,
                                                 int32_t step) {
    for (int i = MG_RUN - 1; i >= 0; --i) {
        y[i * step] = mg_any_s8(&f->channel, f->zero_point, sums[i]);
    }
}

MG_INLINE void finish(const finishing *f, const int32_t *sums, int8_t *y, int32_t step) {
    if (f->channel.rounding == 0) {
        finish_any(f, sums, y, step);
        return;
    }
    MG_UNROLLED
    for (int i = MG_RUN - 1; i >= 0; --i) {
        y[i * step] = mg_quick_s8(&f->channel, 2 * sums[i]);
    }
}

#include "depthwise_correlate.h"

size_t mg_depthwise_conv2d_s8_fwd_dsp_scratch_size(const mg_conv2d_params *p) {
    return planes_size(p);
}

void mg_depthwise_conv2d_s8_fwd_dsp(void *scratch, const mg_conv2d_params *p,
                                    const mg_requant_s8 *q, const int8_t *x, const int8_t *w,
                                    const int32_t *b, int8_t *y) {
    const layer l = {q, b, p->kernel_h * p->kernel_w};
    const grid to = {p->out_w * p->out_c, p->out_c};
    depthwise_correlate(scratch, p, &l, x, w, p->kernel_w * p->out_c, p->out_c, y, &to);
    mg_narrow_s8(q, p->out_h * p->out_w * p->out_c, y);
}
