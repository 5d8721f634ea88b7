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

/* Shifts of a gradient's product, to the right, from which a step is quick and from which it is
 * small; UP: bits by which products are moved up before. */
#define LEAST 2
#define SMALL 25
#define UP    (32 - LEAST - FRACTION)

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

/* The nearest integer to a weight in 2^-KEPT. */
static inline int32_t nearest(int32_t w) {
    return (w + (1 << (KEPT - 1))) >> KEPT;
}

/* The next weight, and what the nearest integer leaves over. */
static void keep(const mg_step_s16 *s, int64_t step, int32_t element, int32_t w, int8_t *w_next) {
    const int32_t one = 1 << KEPT, from = w * one + s->kept[element];
    const int64_t fallen = fall(s, step, element, KEPT);
    const int32_t to = (int32_t)limited(from - fallen, s->q->limit * one);
    const int32_t whole = nearest(to);
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

/* Weights that have one rate, from element `first` to before `end`; dw begins with the first. */
typedef struct {
    mg_parts rate;
    int32_t first, end;
    const int32_t *dw;
    const int8_t *w;
    int8_t *w_next;
} weights;

/* Whatever the terms of a step are. */
MG_APART void step_any(const mg_step_s16 *s, weights v) {
    MG_ROLLED
    for (int32_t i = v.first; i < v.end; ++i) {
        const int32_t w = v.w[i];
        const int64_t step = step_of(s, v.rate, w, *v.dw++);
        if (s->kept != NULL) {
            keep(s, step, i, w, v.w_next + i);
        } else {
            v.w_next[i] = (int8_t)limited(w - fall(s, step, i, 0), s->q->limit);
        }
    }
}

/* By how much decay's product is shifted to the right. */
static int32_t right_of_decay(const mg_step_s16 *s) {
    return s->decay.significand == 0 ? 31 : mg_min(-(s->decay.exponent + FRACTION), 31);
}

/* Where a gradient's product is shifted by `right` to the right and decay's step is below 2^29, so
 * that it fits into int32 with the draw. Of a small step the same is true, and it is the upper half
 * of a product, shifted; else what a weight falls is that of a sum of products. */
MG_INLINE void step_quick(int keeps, int small, const mg_step_s16 *s, weights v, int32_t right) {
    const int finer = keeps ? KEPT : 0, up = small ? 32 - SMALL : UP;
    const int32_t factor = v.rate.significand * (1 << up), one = small ? 0 : 1 << (right + UP);
    const int32_t rest = small ? mg_min(right - SMALL, 31) : right - LEAST - finer;
    const int32_t decay = s->decay.significand, decay_right = right_of_decay(s);
    const int32_t limit = s->q->limit * (1 << finer);
    uint32_t draw = s->draw + (uint32_t)v.first;
    MG_ROLLED
    for (int32_t i = v.first; i < v.end; ++i) {
        const int32_t w = v.w[i];
        const int32_t random = (int32_t)(mg_mixed(draw++) >> (32 - FRACTION + finer));
        const int32_t more = random + (w * decay >> decay_right);
        const int64_t product = (int64_t)*v.dw++ * factor;
        const int32_t fallen =
            small ? (((int32_t)(product >> 32) >> rest) + more) >> (FRACTION - finer)
                  : (int32_t)((product + (int64_t)more * one) >> 32) >> rest;
        const int32_t from = keeps ? w * (1 << finer) + s->kept[i] : w;
        const int32_t to = mg_min(mg_max(from - fallen, -limit), limit);
        const int32_t whole = keeps ? nearest(to) : to;
        v.w_next[i] = (int8_t)whole;
        if (keeps) {
            s->kept_next[i] = (int8_t)(to - whole * (1 << finer));
        }
    }
}

/* The update of the elements from `first` on that have one rate. */
static void step_weights(const mg_step_s16 *s, weights v) {
    const int32_t right = -(v.rate.exponent + s->exponent + FRACTION);
    const int keeps = s->kept != NULL;
    if (right < LEAST + (keeps ? KEPT : 0) || right_of_decay(s) < 2) {
        step_any(s, v);
    } else if (keeps && right >= SMALL) {
        step_quick(1, 1, s, v, right);
    } else if (keeps) {
        step_quick(1, 0, s, v, right);
    } else if (right >= SMALL) {
        step_quick(0, 1, s, v, right);
    } else {
        step_quick(0, 0, s, v, right);
    }
}

void mg_step_weights_s16(mg_step_s16 *s, int32_t first, int32_t count, const int32_t *dw,
                         const int8_t *w, int8_t *w_next) {
    const int32_t run = s->q->run, scales = s->q->scales.count, end = first + count;
    while (first < end) {
        const int32_t number = first / run, last = mg_min((number + 1) * run, end);
        step_weights(s, (weights){known_rate(s, number % scales), first, last, dw, w, w_next});
        dw += last - first;
        first = last;
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
