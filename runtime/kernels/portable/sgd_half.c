/* The update of weights in half precision, whose rounding keeps small steps in the mean. */
#include "mg_cores.h"
#include "mg_kernels_f16.h"
#include "neighbour.h"

/* The golden model rounds each operation, so none may be fused with the next. GCC keeps to that
 * under -std=c11. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#ifdef MG_HALF
/* What no update changes may be there already. */
static void copy(mg_f16 *to, const mg_f16 *from, mg_part part) {
    __builtin_memmove(to + part.first, from + part.first,
                      (size_t)(part.end - part.first) * sizeof *to);
}

void mg_sgd_f16_step(const mg_size_params *p, const mg_sgd_half *q, const mg_f16 *w,
                     const mg_f16 *dw, const float *scale, const int32_t *finite,
                     const int32_t *updates, const float *hyper, mg_f16 *w_next) {
    const float rate = q->rate * hyper[0], decay = hyper[2], unscale = 1.0f / *scale;
    const uint32_t draw = mg_first_draw(q->salt, *updates);
    const mg_part part = mg_share(p->size, 4);
    if (*finite == 0) {
        copy(w_next, w, part);
        return;
    }
    for (int32_t i = part.first; i < part.end; ++i) {
        const float old = (float)w[i];
        const float step = rate * ((float)dw[i] * unscale + decay * old);
        w_next[i] = mg_neighbour(old - step, mg_mixed(draw + (uint32_t)i));
    }
}

void mg_sgd_momentum_f16_step(const mg_size_params *p, const mg_sgd_half *q, const mg_f16 *w,
                              const mg_f16 *dw, const mg_f16 *v, const float *scale,
                              const int32_t *finite, const int32_t *updates, const float *hyper,
                              mg_f16 *w_next, mg_f16 *v_next) {
    const float rate = q->rate * hyper[0], momentum = hyper[1], decay = hyper[2];
    const float unscale = 1.0f / *scale;
    const uint32_t draw = mg_first_draw(q->salt, *updates);
    const mg_part part = mg_share(p->size, 4);
    if (*finite == 0) {
        copy(w_next, w, part);
        copy(v_next, v, part);
        return;
    }
    for (int32_t i = part.first; i < part.end; ++i) {
        const float old = (float)w[i];
        const float velocity = momentum * (float)v[i] + ((float)dw[i] * unscale + decay * old);
        w_next[i] = mg_neighbour(old - rate * velocity, mg_mixed(draw + (uint32_t)i));
        v_next[i] = (mg_f16)mg_within_half(velocity);
    }
}
#endif
