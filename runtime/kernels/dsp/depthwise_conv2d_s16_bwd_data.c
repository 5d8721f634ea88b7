/* The gradient of an int8 depthwise convolution's input, in int16. */
#include "integer_gradient.h"
#include "phase.h"
#include "planes.h"

#define ELEMENT int16_t
#define WEIGHT  int8_t
#define RESULT  int16_t
#define CONTEXT mg_narrowing

static inline void lay_out_taps(const mg_layout *l, int32_t rows, const int8_t *w, int16_t *to) {
    mg_planes_of_s8(l, rows, w, 0, to);
}

static inline void lay_out(const mg_narrowing *q, const mg_layout *l, int32_t rows,
                           const int16_t *x, int16_t *to) {
    (void)q;
    mg_planes_of_s16(l, rows, x, to);
}

static void finish(const mg_narrowing *q, int32_t channel, int32_t rows, int32_t count,
                   const int32_t *sums, int16_t *dx, const mg_strides *to) {
    uint32_t seen = *q->seen;
    const mg_narrowing n = {q->shift, &seen};
    (void)channel;
    for (; rows > 0; --rows, dx += to->row) {
        int16_t *y = dx;
        MG_ROLLED
        for (const int32_t *const end = sums + (count & -4); n.shift >= 2 && sums != end;) {
            int32_t some[4];
            mg_load_pairs(&sums, some);
            MG_UNROLLED
            for (int i = 0; i < 4; i += 2, y += 2 * to->column) {
                MG_COMPLETE(y);
                y[0] = mg_narrowed_far(n, some[i]);
                y[to->column] = mg_narrowed_far(n, some[i + 1]);
            }
        }
        MG_ROLLED
        for (; y != dx + count * to->column; y += to->column) {
            *y = mg_narrowed(n, *sums++);
        }
    }
    *q->seen = seen;
}

#include "depthwise_correlate.h"

size_t mg_depthwise_conv2d_s16_bwd_data_dsp_scratch_size(const mg_conv2d_params *p) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    size_t most = 0;
    for (int32_t y = 0; y < mg_min(p->stride_h, p->in_h); ++y) {
        for (int32_t x = 0; x < mg_min(p->stride_w, p->in_w); ++x) {
            const mg_phase rows = mg_phase_of(&down, y), columns = mg_phase_of(&across, x);
            const mg_conv2d_params part = mg_phases(p, &rows, &columns);
            const size_t size = planes_size(&part);
            most = size > most ? size : most;
        }
    }
    return most;
}

void mg_depthwise_conv2d_s16_bwd_data_dsp(void *scratch, const mg_conv2d_params *p,
                                          const int16_t *dy, const int8_t *w,
                                          const int32_t *exponent, const int32_t *range,
                                          int16_t *dx, int32_t *dx_exponent, int32_t *range_next) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    uint32_t seen = 0;
    const mg_narrowing q = mg_narrowing_of(exponent, range, &seen);
    const mg_strides to = {p->stride_h * p->in_w * p->in_c, p->stride_w * p->in_c};
    for (int32_t y = 0; y < mg_min(p->stride_h, p->in_h); ++y) {
        for (int32_t x = 0; x < mg_min(p->stride_w, p->in_w); ++x) {
            const mg_phase rows = mg_phase_of(&down, y), columns = mg_phase_of(&across, x);
            const mg_conv2d_params part = mg_phases(p, &rows, &columns);
            const int8_t *const last = w + (rows.last * p->kernel_w + columns.last) * p->out_c;
            depthwise_correlate(scratch, &part, &q, dy, last, -rows.step * p->kernel_w * p->out_c,
                                -columns.step * p->out_c, dx + (y * p->in_w + x) * p->in_c, &to);
        }
    }
    mg_finish(q, exponent, range, dx_exponent, range_next);
}
