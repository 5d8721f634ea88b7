#include "rvv_f32.h"

#include "descend.h"

void mg_sgd_f32_step_rvv(const mg_sgd_params *p, const float *w, const float *dw,
                         const float *hyper, float *w_next) {
    const float rate = p->rate * hyper[0], decay = hyper[2];
    size_t n;
    for (int32_t left = p->size; left > 0; left -= (int32_t)n) {
        n = mg_lanes(left);
        const mg_sums old = mg_widened(mg_load(w, n), n), gradient = mg_widened(mg_load(dw, n), n);
        mg_store(w_next, mg_rounded(descended(old, gradient, rate, decay, n), n), n);
        w += n;
        dw += n;
        w_next += n;
    }
}
