#include "mg_cores.h"
#include "mg_kernels.h"

void mg_sgd_f32_step(const mg_sgd_params *p, const float *w, const float *dw, const float *hyper,
                     float *w_next) {
    const float rate = p->rate * hyper[0], decay = hyper[2];
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        w_next[i] = w[i] - rate * (dw[i] + decay * w[i]);
    }
}

void mg_sgd_momentum_f32_step(const mg_sgd_params *p, const float *w, const float *dw,
                              const float *v, const float *hyper, float *w_next, float *v_next) {
    const float rate = p->rate * hyper[0], momentum = hyper[1], decay = hyper[2];
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        const float velocity = momentum * v[i] + (dw[i] + decay * w[i]);
        w_next[i] = w[i] - rate * velocity;
        v_next[i] = velocity;
    }
}
