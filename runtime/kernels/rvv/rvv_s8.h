/* Operations on vectors of int8, which registers hold as int16, and on their sums of int32, by
 * instructions of Zve32x. As in rvv_f16.h; lanes_s8.h says in C what each does. */
#ifndef MG_RVV_S8_H
#define MG_RVV_S8_H

#include "arithmetic.h"
#include "tile.h"

#define REAL             int8_t
#define KERNEL(op, pass) mg_##op##_s8_##pass

#ifdef __riscv_v_elen

#include <riscv_vector.h>

typedef vint16m4_t mg_vector;
typedef vint32m8_t mg_sums;

static inline size_t mg_lanes(int32_t n) {
    return __riscv_vsetvl_e16m4((size_t)n);
}

static inline mg_vector mg_load_apart(const int8_t *from, int32_t step, size_t n) {
    return __riscv_vsext_vf2(__riscv_vlse8_v_i8m2(from, step, n), n);
}

static inline mg_vector mg_load(const int8_t *from, size_t n) {
    return __riscv_vsext_vf2(__riscv_vle8_v_i8m2(from, n), n);
}

/* Each less one number. */
static inline mg_vector mg_load_less(const int8_t *from, int8_t less, size_t n) {
    return __riscv_vwsub_vx(__riscv_vle8_v_i8m2(from, n), less, n);
}

static inline void mg_store(int8_t *to, mg_vector x, size_t n) {
    __riscv_vse8(to, __riscv_vncvt_x(x, n), n);
}

static inline mg_sums mg_load_sums(const int32_t *from, size_t n) {
    return __riscv_vle32_v_i32m8(from, n);
}

static inline mg_sums mg_all(int32_t x, size_t n) {
    return __riscv_vmv_v_x_i32m8(x, n);
}

static inline mg_sums mg_add_products(mg_sums sums, mg_vector a, mg_vector b, size_t n) {
    return __riscv_vwmacc(sums, a, b, n);
}

static inline mg_sums mg_add_scaled(mg_sums sums, int16_t factor, mg_vector x, size_t n) {
    return __riscv_vwmacc(sums, factor, x, n);
}

/* mg_multiply_quantized() with each lane's multiplier and shift. */
static inline mg_sums mg_multiplied(mg_sums sums, const int32_t *multiplier, const int8_t *shift,
                                    size_t n) {
    const vint32m8_t left = __riscv_vsext_vf4(__riscv_vle8_v_i8m2(shift, n), n);
    const vuint32m8_t right = __riscv_vreinterpret_u32m8(__riscv_vmax(__riscv_vneg(left, n), 0, n));
    sums = __riscv_vsll(sums, __riscv_vreinterpret_u32m8(__riscv_vmax(left, 0, n)), n);
    sums = __riscv_vsmul(sums, __riscv_vle32_v_i32m8(multiplier, n), __RISCV_VXRM_RNU, n);
    /* Negative halves are rounded down. */
    const vbool4_t moves = __riscv_vmand(__riscv_vmslt(sums, 0, n), __riscv_vmsne(right, 0, n), n);
    sums = __riscv_vadd_mu(moves, sums, sums, -1, n);
    return __riscv_vssra(sums, right, __RISCV_VXRM_RNU, n);
}

/* Moved by the zero point and limited. */
static inline mg_vector mg_narrowed(mg_sums sums, int32_t zero_point, int32_t low, int32_t high,
                                    size_t n) {
    sums = __riscv_vmax(__riscv_vadd(sums, zero_point, n), low, n);
    return __riscv_vncvt_x(__riscv_vmin(sums, high, n), n);
}

#else

#include "lanes_s8.h"

#endif
#endif
