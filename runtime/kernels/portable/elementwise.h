/* The loops of operators on two operands that broadcast. */
#ifndef MG_ELEMENTWISE_H
#define MG_ELEMENTWISE_H

#include "arithmetic.h"
#include "mg_cores.h"
#include "tile.h"

/* Defines `<symbol>_part` from `type element(const quant_type *q, type a, type b)`: part of every
 * row. The structure is copied so that writing y cannot change it, as far as the compiler knows. */
#define MG_ELEMENTWISE_PART(symbol, type, quant_type, element)                                     \
    MG_INLINE void symbol##_part(const mg_elementwise_params *p, const quant_type *quant,          \
                                 const type *a, const type *b, type *y, mg_part part) {            \
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
                        for (int32_t l = part.first; l < part.end; ++l) {                          \
                            y[l] = element(&q, left, rb[l]);                                       \
                        }                                                                          \
                    } else if (b_repeats) {                                                        \
                        const type right = *rb;                                                    \
                        MG_ROLLED                                                                  \
                        for (int32_t l = part.first; l < part.end; ++l) {                          \
                            y[l] = element(&q, ra[l], right);                                      \
                        }                                                                          \
                    } else {                                                                       \
                        for (int32_t l = part.first; l < part.end; ++l) {                          \
                            y[l] = element(&q, ra[l], rb[l]);                                      \
                        }                                                                          \
                    }                                                                              \
                    y += n;                                                                        \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

/* Defines the kernel of that. */
#define MG_ELEMENTWISE(symbol, type, quant_type, element)                                          \
    MG_ELEMENTWISE_PART(symbol, type, quant_type, element)                                         \
    void symbol(const mg_elementwise_params *p, const quant_type *q, const type *a, const type *b, \
                type *y) {                                                                         \
        symbol##_part(p, q, a, b, y, mg_share(p->shape[3], 4));                                    \
    }

#endif
