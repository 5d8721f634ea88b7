/* Operations on vectors of half, whose sums are single, by instructions of Zve32f and Zvfh.
 *
 * A vector has four registers and its sums have eight: so three vectors of sums and what they are
 * made of fill the register file. Every operation is on the first n lanes, as many as mg_lanes()
 * gives for the elements that are left; the rest are anything.
 * lanes.h says in C what each operation does. */
#ifndef MG_RVV_F16_H
#define MG_RVV_F16_H

#include "arithmetic.h"
#include "tile.h"

#include "real_f16.h"

#ifdef __riscv_zvfh

#include <riscv_vector.h>

typedef vfloat16m4_t mg_vector;
typedef vfloat16m4x2_t mg_pair;
typedef vfloat32m8_t mg_sums;

static inline size_t mg_lanes(int32_t n) {
    return __riscv_vsetvl_e16m4((size_t)n);
}

static inline mg_vector mg_load_apart(const REAL *from, int32_t step, size_t n) {
    return __riscv_vlse16_v_f16m4(from, step * (int32_t)sizeof *from, n);
}

static inline mg_vector mg_load(const REAL *from, size_t n) {
    return __riscv_vle16_v_f16m4(from, n);
}

/* Vectors whose elements take turns. */
static inline mg_pair mg_load_pair(const REAL *from, size_t n) {
    return __riscv_vlseg2e16_v_f16m4x2(from, n);
}

/* step: from one pair of elements to the next */
static inline mg_pair mg_load_pair_apart(const REAL *from, int32_t step, size_t n) {
    return __riscv_vlsseg2e16_v_f16m4x2(from, step * (int32_t)sizeof *from, n);
}

static inline void mg_store_pair(REAL *to, mg_pair pair, size_t n) {
    __riscv_vsseg2e16(to, pair, n);
}

static inline mg_vector mg_first(mg_pair pair) {
    return __riscv_vget_v_f16m4x2_f16m4(pair, 0);
}

static inline mg_vector mg_second(mg_pair pair) {
    return __riscv_vget_v_f16m4x2_f16m4(pair, 1);
}

static inline void mg_store_apart(REAL *to, int32_t step, mg_vector x, size_t n) {
    __riscv_vsse16(to, step * (int32_t)sizeof *to, x, n);
}

static inline void mg_store(REAL *to, mg_vector x, size_t n) {
    __riscv_vse16(to, x, n);
}

static inline mg_sums mg_load_sums(const float *from, size_t n) {
    return __riscv_vle32_v_f32m8(from, n);
}

static inline void mg_store_sums(float *to, mg_sums sums, size_t n) {
    __riscv_vse32(to, sums, n);
}

static inline mg_sums mg_all(float x, size_t n) {
    return __riscv_vfmv_v_f_f32m8(x, n);
}

static inline mg_sums mg_widened(mg_vector x, size_t n) {
    return __riscv_vfwcvt_f(x, n);
}

static inline mg_sums mg_add_products(mg_sums sums, mg_vector a, mg_vector b, size_t n) {
    return __riscv_vfwmacc(sums, a, b, n);
}

static inline mg_sums mg_add_scaled(mg_sums sums, REAL factor, mg_vector x, size_t n) {
    return __riscv_vfwmacc(sums, factor, x, n);
}

/* The same address, which is known when the sums are: a load that is hoisted spills registers. */
static inline const REAL *mg_after(mg_sums sums, const REAL *from) {
    __asm__("" : "+r"(from) : "vr"(sums));
    return from;
}

/* Minimum and maximum would drop a NaN. */
static inline mg_sums mg_limited(mg_sums sums, mg_clamp_f32 range, size_t n) {
    sums = __riscv_vfmerge(sums, range.low, __riscv_vmflt(sums, range.low, n), n);
    return __riscv_vfmerge(sums, range.high, __riscv_vmfgt(sums, range.high, n), n);
}

/* Rounded one by one, as the golden model does it. */
static inline mg_sums mg_scaled(mg_sums a, float factor, size_t n) {
    return __riscv_vfmul(a, factor, n);
}

static inline mg_sums mg_sum(mg_sums a, mg_sums b, size_t n) {
    return __riscv_vfadd(a, b, n);
}

static inline mg_sums mg_difference(mg_sums a, mg_sums b, size_t n) {
    return __riscv_vfsub(a, b, n);
}

/* Lanes of x where y lies inside the range, else 0. */
static inline mg_vector mg_where_inside(mg_clamp_f32 range, mg_vector y, mg_vector x, size_t n) {
    const mg_sums at = mg_widened(y, n);
    const vbool4_t inside =
        __riscv_vmand(__riscv_vmfgt(at, range.low, n), __riscv_vmflt(at, range.high, n), n);
    return __riscv_vfmerge(x, 0.0f, __riscv_vmnot(inside, n), n);
}

static inline mg_vector mg_rounded(mg_sums sums, size_t n) {
    return __riscv_vfncvt_f(sums, n);
}

static inline float mg_total(mg_sums sums, size_t n) {
    const vfloat32m1_t zero = __riscv_vfmv_s_f_f32m1(0.0f, 1);
    return __riscv_vfmv_f(__riscv_vfredusum(sums, zero, n));
}

#else

#include "lanes.h"

#endif
#endif
