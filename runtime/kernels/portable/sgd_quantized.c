#include "arithmetic.h"
#include "draw.h"
#include "mg_cores.h"
#include "scales.h"

/* The golden model rounds each operation, so none may be fused with the next. GCC keeps to that
 * under -std=c11. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

/* By how many steps of its scale a weight falls: rounded up with the fraction's probability. What
 * has a scale of 0 has no effect, and stays. */
static int32_t rounded_step(int qas, float rate, float decay, float scale, float w, float dw,
                            uint32_t random) {
    const float largest = 0x1p30f;
    float step = !qas           ? rate * (scale * dw + decay * w)
                 : scale > 0.0f ? rate * (dw + decay * (scale * w)) / scale
                                : 0.0f;
    step = step > largest ? largest : step;
    step = step < -largest ? -largest : step;
    step += (float)(random >> 8) * 0x1p-24f;
    const int32_t towards_zero = (int32_t)step;
    return towards_zero - ((float)towards_zero > step);
}

static int32_t limited(int64_t w, int32_t limit) {
    return (int32_t)(w > limit ? limit : w < -limit ? -limit : w);
}

#define MG_SGD_STEP(symbol, type)                                                                  \
    void symbol(const mg_size_params *p, const mg_sgd_quant *q, const type *w, const float *dw,    \
                const int32_t *updates, const float *hyper, type *w_next) {                        \
        const float rate = q->rate * hyper[0], decay = hyper[2];                                   \
        const mg_part part = mg_share(p->size, 4);                                                 \
        uint32_t draw = mg_first_draw(q->salt, *updates) + (uint32_t)part.first;                   \
        int32_t i = part.first, end = i / q->run * q->run, k = i / q->run % q->scales.count;       \
        for (; i < part.end; k = k + 1 < q->scales.count ? k + 1 : 0) {                            \
            const float scale = mg_scale_at(&q->scales, k);                                        \
            end += q->run;                                                                         \
            for (const int32_t last = mg_min(end, part.end); i < last; ++i) {                      \
                const int32_t step = rounded_step(q->qas, rate, decay, scale, (float)w[i], dw[i],  \
                                                  mg_mixed(draw++));                               \
                w_next[i] = (type)limited((int64_t)w[i] - step, q->limit);                         \
            }                                                                                      \
        }                                                                                          \
    }

MG_SGD_STEP(mg_sgd_s8_step, int8_t)
MG_SGD_STEP(mg_sgd_s32_step, int32_t)
