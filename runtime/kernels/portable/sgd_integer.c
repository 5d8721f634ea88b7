/* The update of int8 weights and int32 biases from integer gradients, in fixed point. */
#include "draw.h"
#include "float_bits.h"
#include "scales.h"
#include "tile.h"

#define FRACTION 24 /* bits of a step that rounding draws against */

/* 64 bits shifted either way; to the left, what does not fit saturates. */
static int64_t shifted(int64_t x, int32_t left) {
    if (left <= 0) {
        return x >> mg_min(-left, 63);
    }
    const int64_t most = (int64_t)1 << 61, limit = most >> mg_min(left, 62);
    return x > limit ? most : x < -limit ? -most : x * ((int64_t)1 << mg_min(left, 61));
}

static int32_t updated(int32_t w, int64_t step, uint32_t random, int32_t limit) {
    const int64_t largest = (int64_t)1 << (30 + FRACTION);
    step = step > largest ? largest : step < -largest ? -largest : step;
    const int64_t next = w - ((step + (random >> (32 - FRACTION))) >> FRACTION);
    return (int32_t)(next > limit ? limit : next < -limit ? -limit : next);
}

#define MG_SGD_INTEGER_STEP(symbol, type)                                                          \
    void symbol(const mg_size_params *p, const mg_sgd_quant *q, const type *w, const int32_t *dw,  \
                const int32_t *exponent, const int32_t *updates, const float *hyper,               \
                type *w_next) {                                                                    \
        uint32_t draw = mg_first_draw(q->salt, *updates);                                          \
        const mg_parts decay = mg_parts_of(hyper[0] * hyper[2]);                                   \
        for (int32_t i = 0, index = 0; i < p->size;) {                                             \
            const float scale = mg_scale_at(&q->scales, index);                                    \
            const float factor = q->qas ? q->unit / scale : q->unit * scale;                       \
            const mg_parts rate = mg_parts_of(hyper[0] * factor);                                  \
            index = index + 1 < q->scales.count ? index + 1 : 0;                                   \
            MG_ROLLED                                                                              \
            for (const int32_t end = i + q->run; i < end; ++i) {                                   \
                const int64_t step =                                                               \
                    shifted((int64_t)dw[i] * rate.significand,                                     \
                            rate.exponent + *exponent + FRACTION) +                                \
                    shifted((int64_t)w[i] * decay.significand, decay.exponent + FRACTION);         \
                w_next[i] = (type)updated(w[i], step, mg_mixed(draw++), q->limit);                 \
            }                                                                                      \
        }                                                                                          \
    }

MG_SGD_INTEGER_STEP(mg_sgd_integer_s8_step, int8_t)
MG_SGD_INTEGER_STEP(mg_sgd_integer_s32_step, int32_t)
