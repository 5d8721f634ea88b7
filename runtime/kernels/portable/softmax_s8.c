/* The fixed-point softmax of LiteRT's int8 reference kernel, its exponential in a table. */
#include "arithmetic.h"

static inline int32_t saturating_shift_left(int32_t x, int32_t exponent) {
    const int64_t wide = (int64_t)x * (1 << exponent);
    return (int32_t)(wide < INT32_MIN ? INT32_MIN : wide > INT32_MAX ? INT32_MAX : wide);
}

/* 1 / (1 + x) for x in [0, 1), both Q31: gemmlowp's three steps of Newton's method from
 * 48/17 - 32/17 * half, in Q2.29. */
static int32_t reciprocal(int32_t x) {
    const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) >> 1);
    int32_t y = 1515870810 + mg_doubling_high_mul(half, -1010580540);
    for (int step = 0; step < 3; ++step) {
        const int32_t error = (1 << 29) - mg_doubling_high_mul(half, y);
        y += saturating_shift_left(mg_doubling_high_mul(y, error), 2);
    }
    return saturating_shift_left(y, 1);
}

void mg_softmax_s8_fwd(const mg_softmax_params *p, const mg_softmax_s8 *q, const int8_t *x,
                       int8_t *y) {
    const int32_t *exp = q->exp;
    for (int32_t row = 0; row < p->rows; ++row) {
        int32_t greatest = -128;
        for (int32_t i = 0; i < p->columns; ++i) {
            greatest = mg_max(greatest, x[i]);
        }
        int32_t sum = 0; /* Q12.19 */
        for (int32_t i = 0; i < p->columns; ++i) {
            sum += mg_rounding_shift_right(exp[greatest - x[i]], 12);
        }
        const int32_t headroom = __builtin_clz((uint32_t)sum);
        const int32_t excess = (int32_t)(((uint32_t)sum << headroom) - ((uint32_t)1 << 31));
        const int32_t exponent = 12 - headroom + 31 - 8;
        /* Beyond 31 bits every share rounds to zero. */
        const int32_t scale = exponent > 31 ? 0 : reciprocal(excess);
        for (int32_t i = 0; i < p->columns; ++i) {
            const int32_t share = mg_doubling_high_mul(scale, exp[greatest - x[i]]);
            const int32_t code = mg_rounding_shift_right(share, mg_min(exponent, 31)) - 128;
            y[i] = mg_limit_s8(code, -128, 127);
        }
        x += p->columns;
        y += p->columns;
    }
}
