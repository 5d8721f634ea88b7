/* The loops of operators on two operands that broadcast. */
#ifndef MG_ELEMENTWISE_H
#define MG_ELEMENTWISE_H

#include "arithmetic.h"
#include "tile.h"

/* Defines a kernel from `type element(const quant_type *q, type a, type b)`. The structure is
 * copied so that writing y cannot change it, as far as the compiler knows. */
#define MG_ELEMENTWISE(symbol, type, quant_type, element)                                          \
    void symbol(const mg_elementwise_params *p, const quant_type *quant, const type *a,            \
                const type *b, type *y) {                                                          \
        const quant_type q = *quant;                                                               \
        const int32_t n = p->shape[3];                                                             \
        const int a_repeats = p->a_stride[3] == 0, b_repeats = p->b_stride[3] == 0;                \
        for (int32_t i = 0; i < p->shape[0]; ++i) {                                                \
            for (int32_t j = 0; j < p->shape[1]; ++j) {                                            \
                for (int32_t k = 0; k < p->shape[2]; ++k) {                                        \
                    const type *ra =                                                               \
                        a + i * p->a_stride[0] + j * p->a_stride[1] + k * p->a_stride[2];          \
                    const type *rb =                                                               \
                        b + i * p->b_stride[0] + j * p->b_stride[1] + k * p->b_stride[2];          \
                    if (a_repeats) {                                                               \
                        const type left = *ra;                                                     \
                        MG_ROLLED                                                                  \
                        for (int32_t l = 0; l < n; ++l) {                                          \
                            y[l] = element(&q, left, rb[l]);                                       \
                        }                                                                          \
                    } else if (b_repeats) {                                                        \
                        const type right = *rb;                                                    \
                        MG_ROLLED                                                                  \
                        for (int32_t l = 0; l < n; ++l) {                                          \
                            y[l] = element(&q, ra[l], right);                                      \
                        }                                                                          \
                    } else {                                                                       \
                        for (int32_t l = 0; l < n; ++l) {                                          \
                            y[l] = element(&q, ra[l], rb[l]);                                      \
                        }                                                                          \
                    }                                                                              \
                    y += n;                                                                        \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

/* LiteRT's int8 sums: an operand at the fine scale that both share, at most 2^28. */
static inline int32_t mg_fine(int32_t centred, int32_t multiplier, int32_t shift) {
    const int32_t x = centred * (1 << 20);
    return shift < 0 ? mg_multiply_doubled(2 * x, multiplier, -shift, 1 << (-shift - 1))
                     : mg_multiply_quantized(x, multiplier, shift);
}

static inline int8_t mg_sum_code(const mg_sum_s8 *q, int32_t sum) {
    const int32_t shift = q->y_shift;
    const int32_t y = shift < 0
                          ? mg_multiply_doubled(2 * sum, q->y_multiplier, -shift, 1 << (-shift - 1))
                          : mg_multiply_quantized(sum, q->y_multiplier, shift);
    return mg_limit_s8(y + q->y_zero_point, q->low, q->high);
}

#endif
