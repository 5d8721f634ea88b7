/* Depthwise convolution, int8, forward. */
#include "planes.h"
#include "requantize_s8.h"

#define ELEMENT int8_t
#define WEIGHT  int8_t
#define RESULT  int8_t
#define CONTEXT layer

typedef struct {
    const mg_requant_s8 *q;
    const int32_t *b;
    int32_t products;
} layer;

static inline void lay_out_taps(const mg_layout *l, int32_t rows, const int8_t *w, int16_t *to) {
    mg_planes_of_s8(l, rows, w, 0, to);
}

static inline void lay_out(const layer *a, const mg_layout *l, int32_t rows, const int8_t *x,
                           int16_t *to) {
    const int32_t minus = -a->q->input_zero_point;
    mg_planes_of_s8(l, rows, x, mg_pair_of(minus, minus), to);
}

/* Where c->rounding is not 0. */
MG_APART void finish_quickly(const mg_channel_s8 *channel, int32_t count, const int32_t *sums,
                             int8_t *y, int32_t step) {
    const mg_channel_s8 c = *channel;
    int32_t start = 2 * c.bias;
    MG_COMPLETE(start); /* or the bias would be added to each sum before it is doubled */
    MG_ROLLED
    for (const int32_t *const end = sums + (count & -4); sums != end;) {
        int32_t some[4];
        mg_load_pairs(&sums, some);
        MG_UNROLLED
        for (int i = 0; i < 4; i += 2, y += 2 * step) {
            MG_COMPLETE(y);
            y[0] = mg_quick_s8(&c, 2 * some[i] + start);
            y[step] = mg_quick_s8(&c, 2 * some[i + 1] + start);
        }
    }
    MG_ROLLED
    for (count &= 3; count > 0; --count, y += step) {
        *y = mg_quick_s8(&c, 2 * *sums++ + start);
    }
}

static inline void finish(const layer *a, int32_t channel, int32_t rows, int32_t count,
                          const int32_t *sums, int8_t *y, const mg_strides *to) {
    const mg_channel_s8 c = mg_channel_of_s8(a->q, channel, a->b, a->products);
    for (; rows > 0; --rows, sums += count, y += to->row) {
        if (c.rounding != 0) {
            finish_quickly(&c, count, sums, y, to->column);
            continue;
        }
        for (int32_t i = 0; i < count; ++i) {
            const uint32_t sum = (uint32_t)sums[i] + (uint32_t)c.bias;
            y[i * to->column] = mg_any_s8(&c, a->q->output_zero_point, (int32_t)sum);
        }
    }
}

#include "depthwise_correlate.h"

size_t mg_depthwise_conv2d_s8_fwd_dsp_scratch_size(const mg_conv2d_params *p) {
    return planes_size(p);
}

void mg_depthwise_conv2d_s8_fwd_dsp(void *scratch, const mg_conv2d_params *p,
                                    const mg_requant_s8 *q, const int8_t *x, const int8_t *w,
                                    const int32_t *b, int8_t *y) {
    const layer a = {q, b, p->kernel_h * p->kernel_w};
    const mg_strides to = {p->out_w * p->out_c, p->out_c};
    depthwise_correlate(scratch, p, &a, x, w, p->kernel_w * p->out_c, p->out_c, y, &to);
    mg_narrow_s8(q, p->out_h * p->out_w * p->out_c, y);
}
