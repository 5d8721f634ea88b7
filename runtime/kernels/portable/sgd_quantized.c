#include "mg_kernels.h"

/* The golden model rounds each operation, so none may be fused with the next. GCC keeps to that
 * under -std=c11. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

/* A 32-bit integer hash: the finaliser of MurmurHash3 (Appleby). */
static uint32_t mixed(uint32_t x) {
    x = (x ^ (x >> 16)) * 0x85ebca6bu;
    x = (x ^ (x >> 13)) * 0xc2b2ae35u;
    return x ^ (x >> 16);
}

/* Where the walk over the elements stands among the scales. */
typedef struct {
    int32_t index, left; /* of the scale; elements until the next */
} place;

static place find(const mg_sgd_quant *q, int32_t element) {
    const int32_t run = element / q->run;
    return (place){run % q->scales, (run + 1) * q->run - element};
}

static float scale_of(const mg_sgd_quant *q, place *at) {
    if (at->left == 0) {
        at->index = at->index + 1 < q->scales ? at->index + 1 : 0;
        at->left = q->run;
    }
    at->left--;
    return q->scale[at->index];
}

/* By how many steps of its scale a weight falls: rounded up with the fraction's probability. */
static int32_t rounded_step(float rate, float decay, float scale, float w, float dw,
                            uint32_t random) {
    const float largest = 0x1p30f;
    const float g = dw + decay * (scale * w);
    float step = rate * g / scale;
    step = step > largest ? largest : step;
    step = step < -largest ? -largest : step;
    step += (float)(random >> 8) * 0x1p-24f;
    const int32_t towards_zero = (int32_t)step;
    return towards_zero - ((float)towards_zero > step);
}

static int32_t limited(int64_t w, int32_t limit) {
    return (int32_t)(w > limit ? limit : w < -limit ? -limit : w);
}

#define MG_SGD_STEP(symbol, type, limit)                                                           \
    void symbol(const mg_runs_params *p, const mg_sgd_quant *q, const type *w, const float *dw,    \
                const int32_t *updates, const float *hyper, type *w_next) {                        \
        const float rate = hyper[0], decay = hyper[2];                                             \
        uint32_t draw = mixed((uint32_t)q->salt + (uint32_t)*updates * 0x9e3779b9u);               \
        if (w_next != w) {                                                                         \
            __builtin_memcpy(w_next, w, (size_t)(p->outer * p->stride) * sizeof(type));            \
        }                                                                                          \
        for (int32_t i = 0; i < p->outer; ++i) {                                                   \
            for (int32_t k = 0; k < p->count; ++k) {                                               \
                const int32_t start = i * p->stride + p->start[k];                                 \
                place at = find(q, start);                                                         \
                for (int32_t j = start; j < start + p->length[k]; ++j) {                           \
                    const float scale = scale_of(q, &at);                                          \
                    const int32_t step =                                                           \
                        rounded_step(rate, decay, scale, (float)w_next[j], *dw++, mixed(draw++));  \
                    w_next[j] = (type)limited((int64_t)w_next[j] - step, limit);                   \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

MG_SGD_STEP(mg_sgd_s8_step, int8_t, 127)
MG_SGD_STEP(mg_sgd_s32_step, int32_t, INT32_MAX)
