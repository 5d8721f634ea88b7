/* What kernels of integer gradients share. A gradient is int16 codes with one exponent, which
 * steps compute too: real = code * 2^exponent * a scale that the compiler knows. */
#ifndef MG_INTEGER_GRADIENT_H
#define MG_INTEGER_GRADIENT_H

#include "arithmetic.h"

#define MG_CODE_BITS 14 /* of the largest code, so that the next step's may be twice as large */
#define MG_CALM      16 /* steps that could do with a smaller shift before it shrinks */

/* x / 2^shift to nearest, halves up. */
static inline int32_t mg_rounded_shift(int32_t x, int32_t shift) {
    return shift == 0 ? x : ((x >> (shift - 1)) + 1) >> 1;
}

static inline int16_t mg_code(int32_t x) {
    return (int16_t)(x < -32767 ? -32767 : x > 32767 ? 32767 : x);
}

/* Bits of a magnitude. */
static inline int32_t mg_bits(uint32_t x) {
    return x == 0 ? 0 : 32 - __builtin_clz(x);
}

/* How sums become codes, and the bits of all magnitudes seen on the way. */
typedef struct {
    int32_t shift;
    uint32_t *seen;
} mg_narrowing;

static inline int16_t mg_narrowed(mg_narrowing n, int32_t sum) {
    *n.seen |= (uint32_t)(sum ^ (sum >> 31));
    return mg_code(mg_rounded_shift(sum, n.shift));
}

/* The shift and the count of calm steps, for the next step: grows at once, shrinks slowly. */
static inline void mg_adapt(const int32_t *range, uint32_t seen, int32_t *next) {
    const int32_t shift = range[0], calm = range[1];
    const int32_t need = mg_max(mg_bits(seen) - MG_CODE_BITS, 0);
    const int32_t waits = need < shift && calm + 1 < MG_CALM;
    next[0] = need > shift ? need : need < shift && !waits ? shift - 1 : shift;
    next[1] = waits ? calm + 1 : 0;
}

#endif
