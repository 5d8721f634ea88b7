/* Instructions of PULP's packed half precision (smallFloat's Xfvec) on two halves in a register of
 * 32 bits, and what they are in C elsewhere.
 *
 * No compiler here knows them: they are emitted by their encodings, which are those of
 * pulp-platform/riscv-opcodes, opcodes-sflt_CUSTOM. */
#ifndef MG_XFVEC_H
#define MG_XFVEC_H

#include "mg_kernels_f16.h"
#include "tile.h"

#if defined(__riscv_flen) && __riscv_xlen == 32

/* Two halves, the first in the lower bits. */
typedef float mg_halves;

/* opcode, funct3, funct7 */
#define MG_VFMAX_H      "0x33, 2, 0x46"
#define MG_VFMIN_H      "0x33, 2, 0x45"
#define MG_VFMUL_H      "0x33, 2, 0x43"
#define MG_VFDOTPEX_S_H "0x33, 0, 0x4B"
#define MG_VFCPKA_H_S   "0x33, 2, 0x58"

#define MG_OF_TWO(instruction, a, b)                                                               \
    float result;                                                                                  \
    __asm__(".insn r " instruction ", %0, %1, %2" : "=f"(result) : "f"(a), "f"(b));                \
    return result

/* sum + a[0] * b[0] + a[1] * b[1], rounded once. In the order written: schedulers that hoist the
 * loads of steps to come run out of registers and spill. */
MG_INLINE float mg_add_products(float sum, mg_halves a, mg_halves b) {
    __asm__ volatile(".insn r " MG_VFDOTPEX_S_H ", %0, %1, %2" : "+f"(sum) : "f"(a), "f"(b));
    return sum;
}

MG_INLINE mg_halves mg_pack(float first, float second) {
    MG_OF_TWO(MG_VFCPKA_H_S, first, second);
}

/* Of numbers; where one side is none, the other one. */
MG_INLINE mg_halves mg_larger(mg_halves a, mg_halves b) {
    MG_OF_TWO(MG_VFMAX_H, a, b);
}

MG_INLINE mg_halves mg_smaller(mg_halves a, mg_halves b) {
    MG_OF_TWO(MG_VFMIN_H, a, b);
}

MG_INLINE mg_halves mg_product(mg_halves a, mg_halves b) {
    MG_OF_TWO(MG_VFMUL_H, a, b);
}

/* Words of halves are loaded and stored where they are aligned as such. */
MG_INLINE mg_halves mg_load_halves(const mg_f16 *from) {
    mg_halves two;
    __builtin_memcpy(&two, __builtin_assume_aligned(from, sizeof two), sizeof two);
    return two;
}

MG_INLINE void mg_store_halves(mg_f16 *to, mg_halves two) {
    __builtin_memcpy(__builtin_assume_aligned(to, sizeof two), &two, sizeof two);
}

#else

typedef struct {
    mg_f16 first, second;
} mg_halves;

MG_INLINE float mg_add_products(float sum, mg_halves a, mg_halves b) {
    return (float)(sum + ((double)a.first * b.first + (double)a.second * b.second));
}

MG_INLINE mg_halves mg_pack(float first, float second) {
    return (mg_halves){(mg_f16)first, (mg_f16)second};
}

MG_INLINE mg_f16 mg_larger_half(mg_f16 a, mg_f16 b) {
    return a > b || b != b ? a : b;
}

MG_INLINE mg_halves mg_larger(mg_halves a, mg_halves b) {
    return (mg_halves){mg_larger_half(a.first, b.first), mg_larger_half(a.second, b.second)};
}

MG_INLINE mg_f16 mg_smaller_half(mg_f16 a, mg_f16 b) {
    return a < b || b != b ? a : b;
}

MG_INLINE mg_halves mg_smaller(mg_halves a, mg_halves b) {
    return (mg_halves){mg_smaller_half(a.first, b.first), mg_smaller_half(a.second, b.second)};
}

MG_INLINE mg_halves mg_product(mg_halves a, mg_halves b) {
    return (mg_halves){a.first * b.first, a.second * b.second};
}

MG_INLINE mg_halves mg_load_halves(const mg_f16 *from) {
    return (mg_halves){from[0], from[1]};
}

MG_INLINE void mg_store_halves(mg_f16 *to, mg_halves two) {
    to[0] = two.first;
    to[1] = two.second;
}

#endif

#endif
