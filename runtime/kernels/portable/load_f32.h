/* Loads of neighbouring floats.
 *
 * An Arm core with a floating-point unit loads several by one instruction, if they go to registers
 * in a row. Compilers do not plan for that, so each kind of load names its registers: `place` tells
 * loads whose elements are needed at the same time apart. Elsewhere the loads stay single, and the
 * compiler takes them to where they are used.
 *
 * Before it is included, REAL names the stored type, as by real_f32.h or real_f16.h.
 */
#ifndef MG_LOAD_F32_H
#define MG_LOAD_F32_H

#include "mg_kernels.h"
#include "tile.h"

#if REAL_IS_SINGLE && defined(__arm__) && defined(__ARM_FP)
#define MG_TOGETHER 1
#define MG_RUN_F32  2 /* neighbours of a row that are taken at a time */
#else
#define MG_TOGETHER 0
#define MG_RUN_F32  1
#endif

#if MG_TOGETHER

/* Two elements at *from, which moves behind them. */
#define MG_TAKE(s, t)                                                                              \
    {                                                                                              \
        register float first __asm__(#s), second __asm__(#t);                                      \
        __asm__ volatile("vldmia %0!, {%1, %2}"                                                    \
                         : "+r"(*from), "=t"(first), "=t"(second)                                  \
                         :                                                                         \
                         : "memory");                                                              \
        to[0] = first;                                                                             \
        to[1] = second;                                                                            \
        return;                                                                                    \
    }

#define MG_LOAD(s, t)                                                                              \
    {                                                                                              \
        register float first __asm__(#s), second __asm__(#t);                                      \
        __asm__("vldmia %m2, {%0, %1}"                                                             \
                : "=t"(first), "=t"(second)                                                        \
                : "Q"(*(const float (*)[2])from));                                                 \
        to[0] = first;                                                                             \
        to[1] = second;                                                                            \
        return;                                                                                    \
    }

#define MG_LOAD_FOUR(s, t, u, v)                                                                   \
    {                                                                                              \
        register float first __asm__(#s), second __asm__(#t), third __asm__(#u), last __asm__(#v); \
        __asm__("vldmia %m4, {%0, %1, %2, %3}"                                                     \
                : "=t"(first), "=t"(second), "=t"(third), "=t"(last)                               \
                : "Q"(*(const float (*)[4])from));                                                 \
        to[0] = first;                                                                             \
        to[1] = second;                                                                            \
        to[2] = third;                                                                             \
        to[3] = last;                                                                              \
        return;                                                                                    \
    }

MG_INLINE void mg_take_pair(int place, const float **from, float *to) {
    switch (place) {
    case 0:
        MG_TAKE(s16, s17)
    case 1:
        MG_TAKE(s18, s19)
    case 2:
        MG_TAKE(s20, s21)
    case 3:
        MG_TAKE(s22, s23)
    case 4:
        MG_TAKE(s24, s25)
    case 5:
        MG_TAKE(s26, s27)
    case 6:
        MG_TAKE(s28, s29)
    case 7:
        MG_TAKE(s30, s31)
    default:
        MG_TAKE(s14, s15)
    }
}

MG_INLINE void mg_load_pair(int place, const float *from, float *to) {
    switch (place) {
    case 0:
        MG_LOAD(s16, s17)
    case 1:
        MG_LOAD(s18, s19)
    case 2:
        MG_LOAD(s20, s21)
    case 3:
        MG_LOAD(s22, s23)
    default:
        MG_LOAD(s24, s25)
    }
}

MG_INLINE void mg_load_four(int place, const float *from, float *to) {
    switch (place) {
    case 0:
        MG_LOAD_FOUR(s16, s17, s18, s19)
    case 2:
        MG_LOAD_FOUR(s20, s21, s22, s23)
    default:
        MG_LOAD_FOUR(s24, s25, s26, s27)
    }
}

#endif

/* `count` elements. */
MG_INLINE void mg_load_f32(int count, int place, const REAL *from, float *to) {
#if MG_TOGETHER
    if (count == 8) {
        mg_load_four(place, from, to);
        mg_load_four(place + 2, from + 4, to + 4);
        return;
    }
    if (count == 4) {
        mg_load_four(place, from, to);
        return;
    }
    if (count == 2) {
        mg_load_pair(place, from, to);
        return;
    }
#else
    (void)place;
#endif
    MG_UNROLLED
    for (int i = 0; i < count; ++i) {
        to[i] = (float)from[i];
    }
}

/* `count` elements at *from, which moves behind them. */
MG_INLINE void mg_take_f32(int count, int place, const REAL **from, float *to) {
#if MG_TOGETHER
    if (count == 2) {
        mg_take_pair(place, from, to);
        return;
    }
#endif
    mg_load_f32(count, place, *from, to);
    *from += count;
}

#endif
