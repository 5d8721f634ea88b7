#include "mg_kernels.h"

void mg_softmax_f32_fwd(const mg_softmax_params *p, const float *x, float *y) {
    for (int32_t row = 0; row < p->rows; ++row) {
        float greatest = x[0];
        for (int32_t i = 1; i < p->columns; ++i) {
            greatest = x[i] > greatest ? x[i] : greatest;
        }
        float sum = 0.0f;
        for (int32_t i = 0; i < p->columns; ++i) {
            y[i] = __builtin_expf((x[i] - greatest) * p->beta);
            sum += y[i];
        }
        const float scale = 1.0f / sum;
        for (int32_t i = 0; i < p->columns; ++i) {
            y[i] *= scale;
        }
        x += p->columns;
        y += p->columns;
    }
}

void mg_softmax_f32_bwd_data(const mg_softmax_params *p, const float *dy, const float *y,
                             float *dx) {
    for (int32_t row = 0; row < p->rows; ++row) {
        int32_t best = 0;
        for (int32_t i = 1; i < p->columns; ++i) {
            best = y[i] > y[best] ? i : best;
        }
        /* As shares add up to 1, this changes nothing but what cancels in a confident row. */
        const float base = dy[best];
        float inner = 0.0f;
        for (int32_t i = 0; i < p->columns; ++i) {
            inner += (dy[i] - base) * y[i];
        }
        for (int32_t i = 0; i < p->columns; ++i) {
            dx[i] = p->beta * y[i] * (dy[i] - base - inner);
        }
        dy += p->columns;
        y += p->columns;
        dx += p->columns;
    }
}
