/* Whether half gradients are finite. */
#include "rvv_f16.h"

#define EXPONENT 0x7c00u /* all of its bits are set in infinities and NaN */

#ifdef __riscv_zvfh

static inline int finite(mg_vector x, size_t n) {
    const vuint16m4_t bits = __riscv_vand(__riscv_vreinterpret_u16m4(x), EXPONENT, n);
    return __riscv_vfirst(__riscv_vmseq(bits, EXPONENT, n), n) < 0;
}

#else

static inline int finite(mg_vector x, size_t n) {
    int all = 1;
    for (size_t i = 0; i < n; ++i) {
        uint16_t bits;
        __builtin_memcpy(&bits, x.lane + i, sizeof bits);
        all &= (bits & EXPONENT) != EXPONENT;
    }
    return all;
}

#endif

void mg_all_finite_f16_fwd_rvv(const mg_size_params *p, const mg_f16 *x, const int32_t *before,
                               int32_t *result) {
    int32_t all = before == NULL || *before != 0;
    size_t n;
    for (int32_t left = p->size; left > 0; left -= (int32_t)n) {
        n = mg_lanes(left);
        all &= finite(mg_load(x, n), n);
        x += n;
    }
    *result = all;
}
