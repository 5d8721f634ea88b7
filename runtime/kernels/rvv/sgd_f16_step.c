/* The update of weights in half precision: the same bits as the portable kernel's. */
#include "rvv_f16.h"

#include "descend.h"
#include "neighbour.h"

#ifdef __riscv_zvfh

/* mg_mixed() of each lane's number. */
static inline vuint32m8_t draws(uint32_t first, size_t n) {
    vuint32m8_t x = __riscv_vadd(__riscv_vid_v_u32m8(n), first, n);
    x = __riscv_vmul(__riscv_vxor(x, __riscv_vsrl(x, 16, n), n), 0x85ebca6bu, n);
    x = __riscv_vmul(__riscv_vxor(x, __riscv_vsrl(x, 13, n), n), 0xc2b2ae35u, n);
    return __riscv_vxor(x, __riscv_vsrl(x, 16, n), n);
}

/* 2^(exponent of a lane - MG_HALF_BITS), where biased exponents are in `exponent`. */
static inline vfloat32m8_t units(vuint32m8_t exponent, size_t n) {
    return __riscv_vreinterpret_f32m8(__riscv_vsll(__riscv_vsub(exponent, MG_HALF_BITS, n), 23, n));
}

/* mg_neighbour() of each lane. */
static inline mg_vector neighbours(mg_sums w, uint32_t draw, size_t n) {
    w = __riscv_vfmax(__riscv_vfmin(w, MG_LARGEST_HALF, n), -MG_LARGEST_HALF, n);
    const vuint32m8_t bits = __riscv_vreinterpret_u32m8(__riscv_vfabs(w, n));
    const vuint32m8_t exponent =
        __riscv_vmaxu(__riscv_vsrl(bits, 23, n), MG_LEAST_EXPONENT + 127, n);
    /* 1 / unit: 127 and the exponents of both add up to 254 */
    const vfloat32m8_t per_unit = __riscv_vreinterpret_f32m8(
        __riscv_vsll(__riscv_vrsub(exponent, 254 + MG_HALF_BITS, n), 23, n));
    const vfloat32m8_t share =
        __riscv_vfmul(__riscv_vfcvt_f(__riscv_vsrl(draws(draw, n), 19, n), n), 0x1p-13f, n);
    const vfloat32m8_t raised = __riscv_vfadd(__riscv_vfmul(w, per_unit, n), share, n);
    const vint32m8_t whole = __riscv_vfcvt_x_f_v_i32m8_rm(raised, __RISCV_FRM_RDN, n);
    const vfloat32m8_t near = __riscv_vfmul(__riscv_vfcvt_f(whole, n), units(exponent, n), n);
    return mg_rounded(__riscv_vfmin(near, MG_LARGEST_HALF, n), n);
}

#else

static inline mg_vector neighbours(mg_sums w, uint32_t draw, size_t n) {
    mg_vector x = {{0}};
    for (size_t i = 0; i < n; ++i) {
        x.lane[i] = mg_neighbour(w.lane[i], mg_mixed(draw + (uint32_t)i));
    }
    return x;
}

#endif

void mg_sgd_f16_step_rvv(const mg_size_params *p, const mg_sgd_half *q, const mg_f16 *w,
                         const mg_f16 *dw, const float *scale, const int32_t *finite,
                         const int32_t *updates, const float *hyper, mg_f16 *w_next) {
    const float rate = q->rate * hyper[0], decay = hyper[2], unscale = 1.0f / *scale;
    uint32_t draw = mg_first_draw(q->salt, *updates);
    const int learns = *finite != 0;
    size_t n;
    for (int32_t left = p->size; left > 0; left -= (int32_t)n) {
        n = mg_lanes(left);
        mg_vector next = mg_load(w, n);
        if (learns) {
            const mg_sums gradient = mg_scaled(mg_widened(mg_load(dw, n), n), unscale, n);
            next = neighbours(descended(mg_widened(next, n), gradient, rate, decay, n), draw, n);
        }
        mg_store(w_next, next, n);
        draw += (uint32_t)n;
        w += n;
        dw += n;
        w_next += n;
    }
}
