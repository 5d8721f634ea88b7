/* What kernels of integer gradients share. A gradient is int16 codes with one exponent, which
 * steps compute too: real = code * 2^exponent * a scale that the compiler knows. */
#ifndef MG_INTEGER_GRADIENT_H
#define MG_INTEGER_GRADIENT_H

#include "arithmetic.h"
#include "mg_cores.h"
#include "mg_kernels_s16.h"

#ifdef __ARM_FEATURE_DSP
#include <arm_acle.h>
#endif

#define MG_CODE_BITS 14 /* of the largest code that a step aims at; twice as much still fits */
#define MG_WINDOW    8  /* steps whose largest gain decides the next */

/* What goes with codes: their exponent, and the bits of the largest. */
enum { MG_EXPONENT, MG_BITS };

/* What a layer keeps from step to step: by how many bits sums exceed codes, how many steps of the
 * window are over (below 0: the gain was only guessed), and the largest gain in it. */
enum { MG_GAIN, MG_STEPS, MG_LARGEST };

/* x / 2^shift to nearest, halves up; shift <= 32. */
static inline int32_t mg_rounded_shift(int32_t x, int32_t shift) {
#ifdef __ARM_FEATURE_DSP
    if (shift >= 2) { /* the upper half of a product, rounded, is one instruction */
        int32_t factor = 1 << (32 - shift);
        __asm__("" : "+r"(factor)); /* or it would be seen as a shift of 64 bits */
        return (int32_t)(((int64_t)x * factor + ((int64_t)1 << 31)) >> 32);
    }
#endif
    return shift == 0 ? x : ((x >> (shift - 1)) + 1) >> 1;
}

static inline int16_t mg_code(int32_t x) {
#ifdef __ARM_FEATURE_DSP
    const int32_t code = x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x; /* at once */
    return (int16_t)(code + (code == INT16_MIN));
#else
    return (int16_t)(x < -32767 ? -32767 : x > 32767 ? 32767 : x);
#endif
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

static inline mg_narrowing mg_narrowing_of(const int32_t *dy, const int32_t *range,
                                           uint32_t *seen) {
    return (mg_narrowing){mg_max(dy[MG_BITS] + range[MG_GAIN] - MG_CODE_BITS, 0), seen};
}

static inline int16_t mg_narrowed(mg_narrowing n, int32_t sum) {
    *n.seen |= (uint32_t)(sum ^ (sum >> 31));
    return mg_code(mg_rounded_shift(sum, n.shift));
}

/* The same where the shift is at least 2: loops that know it need fewer instructions. */
static inline int16_t mg_narrowed_far(mg_narrowing n, int32_t sum) {
#ifdef __ARM_FEATURE_DSP
    /* One less saturates at -32768; the one that is added again does so above. */
    int32_t less = -1;
    __asm__("" : "+r"(less)); /* or it would be seen that it is subtracted again */
    *n.seen |= (uint32_t)(sum ^ (sum >> 31));
    return (int16_t)__qsub16(__ssat(mg_rounded_shift(sum, n.shift) + less, 16), less);
#else
    return mg_narrowed(n, sum);
#endif
}

/* What goes with the codes of dx, and the gain for the next step: grows at once, and shrinks to
 * the largest of a window of steps. Of several cores each has seen a share of the magnitudes. */
static inline void mg_finish(mg_narrowing n, const int32_t *dy, const int32_t *range, int32_t *dx,
                             int32_t *next) {
    const int32_t bits = mg_bits(mg_joined_bits(*n.seen));
    if (mg_core() != 0) {
        return;
    }
    const int32_t seen = bits - dy[MG_BITS];
    const int32_t gain = range[MG_GAIN], steps = range[MG_STEPS] + 1;
    const int32_t largest = steps > 1 ? mg_max(range[MG_LARGEST], seen) : seen;
    const int over = steps <= 0 || steps >= MG_WINDOW || seen > gain;
    dx[MG_EXPONENT] = dy[MG_EXPONENT] + n.shift;
    dx[MG_BITS] = mg_min(mg_max(bits - n.shift, 0), 15);
    if (bits == 0) {
        next[MG_GAIN] = gain;
        next[MG_STEPS] = range[MG_STEPS];
        next[MG_LARGEST] = range[MG_LARGEST];
        return;
    }
    next[MG_GAIN] = over ? largest : gain;
    next[MG_STEPS] = over ? 0 : steps;
    next[MG_LARGEST] = largest;
}

#endif
