#include "mg_kernels.h"

/* What does not learn keeps its value where the result is not in place. */
static void keep_others(const mg_runs_params *p, const float *w, float *w_next) {
    if (w_next != w) {
        __builtin_memcpy(w_next, w, (size_t)(p->outer * p->stride) * sizeof(float));
    }
}

void mg_sgd_f32_step(const mg_runs_params *p, const float *w, const float *dw, const float *hyper,
                     float *w_next) {
    const float rate = hyper[0], decay = hyper[2];
    keep_others(p, w, w_next);
    for (int32_t i = 0; i < p->outer; ++i) {
        for (int32_t k = 0; k < p->count; ++k) {
            float *at = w_next + i * p->stride + p->start[k];
            for (int32_t j = 0; j < p->length[k]; ++j) {
                at[j] -= rate * (*dw++ + decay * at[j]);
            }
        }
    }
}

void mg_sgd_momentum_f32_step(const mg_runs_params *p, const float *w, const float *dw,
                              const float *v, const float *hyper, float *w_next, float *v_next) {
    const float rate = hyper[0], momentum = hyper[1], decay = hyper[2];
    keep_others(p, w, w_next);
    for (int32_t i = 0; i < p->outer; ++i) {
        for (int32_t k = 0; k < p->count; ++k) {
            float *at = w_next + i * p->stride + p->start[k];
            for (int32_t j = 0; j < p->length[k]; ++j) {
                const float velocity = momentum * *v++ + (*dw++ + decay * at[j]);
                at[j] -= rate * velocity;
                *v_next++ = velocity;
            }
        }
    }
}
