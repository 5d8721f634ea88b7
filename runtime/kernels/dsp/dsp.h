/* Instructions of the Arm DSP extension on pairs of int16, and what they are in C elsewhere. */
#ifndef MG_DSP_H
#define MG_DSP_H

#include "tile.h"

/* Two int16, the first in the lower half; or four int8. */
typedef int32_t mg_pair;
typedef int32_t mg_bytes;

/* Of the lower halves. */
static inline mg_pair mg_pair_of(int32_t first, int32_t second) {
    return (int32_t)(((uint32_t)first & 0xFFFF) | (uint32_t)second << 16);
}

/* Of the upper halves. */
static inline mg_pair mg_upper_pair(mg_pair first, mg_pair second) {
    return (int32_t)((uint32_t)first >> 16 | ((uint32_t)second & 0xFFFF0000));
}

#ifdef __ARM_FEATURE_DSP

#include <arm_acle.h>

/* sum + a[0] * b[0] + a[1] * b[1] */
static inline int32_t mg_add_products(int32_t sum, mg_pair a, mg_pair b) {
    return __smlad(a, b, sum);
}

/* Bytes 0 and 2, each added to its half of `to`. */
static inline mg_pair mg_add_even_bytes(mg_pair to, mg_bytes x) {
    return __sxtab16(to, x);
}

static inline mg_pair mg_even_bytes(mg_bytes x) {
    return __sxtb16(x);
}

/* The four pairs at *from, which moves behind them; compilers load them one by one. */
MG_INLINE void mg_load_pairs(const mg_pair **from, mg_pair *x) {
    register mg_pair a __asm__("r2"), b __asm__("r3"), c __asm__("r4"), d __asm__("r5");
    __asm__ volatile("ldmia %0!, {%1, %2, %3, %4}"
                     : "+r"(*from), "=r"(a), "=r"(b), "=r"(c), "=r"(d)
                     :
                     : "memory");
    x[0] = a;
    x[1] = b;
    x[2] = c;
    x[3] = d;
}

/* Stores four numbers at *to, which moves behind them. */
MG_INLINE void mg_store_four(int32_t **to, const int32_t *x) {
    register int32_t a __asm__("r8") = x[0], b __asm__("r9") = x[1];
    register int32_t c __asm__("r10") = x[2], d __asm__("r11") = x[3];
    __asm__ volatile("stmia %0!, {%1, %2, %3, %4}"
                     : "+r"(*to)
                     : "r"(a), "r"(b), "r"(c), "r"(d)
                     : "memory");
}

#else

static inline int32_t mg_add_products(int32_t sum, mg_pair a, mg_pair b) {
    const uint32_t first = (uint32_t)((int16_t)a * (int16_t)b);
    const uint32_t second = (uint32_t)((a >> 16) * (b >> 16));
    return (int32_t)((uint32_t)sum + first + second);
}

static inline mg_pair mg_add_even_bytes(mg_pair to, mg_bytes x) {
    return mg_pair_of((int16_t)to + (int8_t)x, (to >> 16) + (int8_t)(x >> 16));
}

static inline mg_pair mg_even_bytes(mg_bytes x) {
    return mg_add_even_bytes(0, x);
}

MG_INLINE void mg_load_pairs(const mg_pair **from, mg_pair *x) {
    for (int i = 0; i < 4; ++i) {
        x[i] = *(*from)++;
    }
}

MG_INLINE void mg_store_four(int32_t **to, const int32_t *x) {
    for (int i = 0; i < 4; ++i) {
        *(*to)++ = x[i];
    }
}

#endif

/* Bytes 1 and 3 come to where 0 and 2 are. */
static inline mg_bytes mg_odd_to_even(mg_bytes x) {
    return (int32_t)((uint32_t)x >> 8 | (uint32_t)x << 24);
}

/* Cores with this extension load and store words at any address. */
static inline int32_t mg_load_word(const void *from) {
    int32_t word;
    __builtin_memcpy(&word, from, sizeof word);
    return word;
}

static inline void mg_store_word(void *to, int32_t word) {
    __builtin_memcpy(to, &word, sizeof word);
}

static inline void mg_store_half(void *to, int32_t half) {
    const int16_t low = (int16_t)half;
    __builtin_memcpy(to, &low, sizeof low);
}

#endif
