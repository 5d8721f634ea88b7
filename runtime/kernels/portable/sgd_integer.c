/* The update from integer gradients: of int8 weights, for the kernels that sum their gradient, and
 * of int32 biases. */
#include "arithmetic.h"
#include "draw.h"
#include "mg_cores.h"
#include "scales.h"
#include "step_s16.h"
#include "tile.h"

#define FRACTION 24 /* bits of a step that rounding draws against */
#define KEPT     8  /* bits of a remainder */

/* 64 bits shifted either way; to the left, what does not fit saturates. */
static int64_t shifted(int64_t x, int32_t left) {
    if (left <= 0) {
        return x >> mg_min(-left, 63);
    }
    const int64_t most = (int64_t)1 << 61, limit = most >> mg_min(left, 62);
    return x > limit ? most : x < -limit ? -most : x * ((int64_t)1 << mg_min(left, 61));
}

/* From a gradient's code to steps of the weights that have the scale at an index. */
static mg_parts rate_at(const mg_step_s16 *s, int32_t index) {
    const float scale = mg_scale_at(&s->q->scales, index);
    return mg_parts_of(s->rate * (s->q->qas ? s->q->unit / scale : s->q->unit * scale));
}

/* The step of a weight in 2^-FRACTION of its own, whatever the terms are. */
static int64_t whole_step(const mg_step_s16 *s, mg_parts rate, int32_t w, int32_t dw) {
    const int64_t largest = (int64_t)1 << (30 + FRACTION);
    const int64_t step =
        shifted((int64_t)dw * rate.significand, rate.exponent + s->exponent + FRACTION) +
        shifted((int64_t)w * s->decay.significand, s->decay.exponent + FRACTION);
    return step > largest ? largest : step < -largest ? -largest : step;
}

/* The step of a weight in 2^-FRACTION of its own. A product has 55 bits: without decay, one that is
 * shifted to the right is in range, and it mostly is. */
MG_APART int64_t step_of(const mg_step_s16 *s, mg_parts rate, int32_t w, int32_t dw) {
    const int32_t right = -(rate.exponent + s->exponent + FRACTION);
    return right > 0 && s->decay.significand == 0
               ? (int64_t)dw * rate.significand >> mg_min(right, 63)
               : whole_step(s, rate, w, dw);
}

/* By how much a weight falls, in 2^-finer of its own. */
MG_INLINE int64_t fall(const mg_step_s16 *s, int64_t step, int32_t element, int finer) {
    const uint32_t random = mg_mixed(s->draw + (uint32_t)element) >> (32 - FRACTION + finer);
    return (step + random) >> (FRACTION - finer);
}

static int64_t limited(int64_t x, int64_t limit) {
    return x > limit ? limit : x < -limit ? -limit : x;
}

/* The next weight, and what the nearest integer leaves over. */
static void keep(const mg_step_s16 *s, int64_t step, int32_t element, int32_t w, int8_t *w_next) {
    const int32_t one = 1 << KEPT, from = w * one + s->kept[element];
    const int64_t fallen = fall(s, step, element, KEPT);
    const int32_t to = (int32_t)limited(from - fallen, s->q->limit * one);
    const int32_t whole = (to + one / 2) >> KEPT;
    *w_next = (int8_t)whole;
    s->kept_next[element] = (int8_t)(to - whole * one);
}

mg_step_s16 mg_step_s16_of(const mg_sgd_quant *q, const int32_t *exponent, const int32_t *updates,
                           const float *hyper) {
    const float rate = q->rate * hyper[0];
    mg_step_s16 s = {
        .q = q,
        .rate = rate,
        .decay = mg_parts_of(rate * hyper[2]),
        .exponent = *exponent,
        .draw = mg_first_draw(q->salt, *updates),
    };
    for (int i = 0; i < MG_RATES; ++i) {
        s.rates[i].number = -1;
    }
    return s;
}

static mg_parts known_rate(mg_step_s16 *s, int32_t number) {
    mg_rate *const known = s->rates + number % MG_RATES;
    if (known->number != number) {
        *known = (mg_rate){number, rate_at(s, number)};
    }
    return known->rate;
}

void mg_step_weights_s16(mg_step_s16 *s, int32_t first, int32_t count, const int32_t *dw,
                         const int8_t *w, int8_t *w_next) {
    const int32_t run = s->q->run, scales = s->q->scales.count, end = first + count;
    for (int32_t i = first; i < end;) {
        const int32_t number = i / run;
        const mg_parts rate = known_rate(s, number % scales);
        MG_ROLLED
        for (const int32_t last = mg_min((number + 1) * run, end); i < last; ++i) {
            const int64_t step = step_of(s, rate, w[i], *dw++);
            if (s->kept != NULL) {
                keep(s, step, i, w[i], w_next + i);
            } else {
                w_next[i] = (int8_t)limited(w[i] - fall(s, step, i, 0), s->q->limit);
            }
        }
    }
}

void mg_sgd_integer_s32_step(const mg_size_params *p, const mg_sgd_quant *q, const int32_t *w,
                             const int32_t *dw, const int32_t *exponent, const int32_t *updates,
                             const float *hyper, int32_t *w_next) {
    const mg_step_s16 s = mg_step_s16_of(q, exponent, updates, hyper);
    const mg_part part = mg_share(p->size, 1);
    MG_ROLLED
    for (int32_t i = part.first; i < part.end; ++i) {
        const mg_parts rate = rate_at(&s, q->scales.count > 1 ? i : 0);
        w_next[i] =
            (int32_t)limited(w[i] - fall(&s, step_of(&s, rate, w[i], dw[i]), i, 0), q->limit);
    }
}
