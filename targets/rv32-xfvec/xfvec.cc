/* PULP's packed half precision (smallFloat's Xfvec) as an extension of Spike: two halves in a
 * register of 32 bits.
 *
 * Encodings: pulp-platform/riscv-opcodes, opcodes-sflt_CUSTOM. An instruction is of the form R in
 * the space of OP: bits 31..30 are 2, then five of operation, the two sources, a bit R that says
 * that the lower half of rs2 meets both halves of rs1, two bits of format, rd. Rounding is as frm
 * says, and the flags of both halves accrue in fflags.
 *
 * vfdotpex.s.h rounds once, as the unit of Bertaccini et al., "MiniFloat-NN and ExSdotp" (ARITH
 * 2022), does: both products and the accumulator are summed as if with unlimited precision.
 */
#define SOFTFLOAT_FAST_INT64 /* as Spike is built: 128 bits are values */
#include <riscv/extension.h>
#include <riscv/trap.h>
#include <softfloat/softfloat.h>

namespace {

constexpr uint32_t OP = 0x33, VECTORIAL = 2, SINGLE = 0, HALF = 2, REPLICATED = 1 << 14;
constexpr uint32_t MASK = 0xFE00707F; /* all but the registers */

enum operation : uint32_t {
    VFADD = 0x01,
    VFSUB = 0x02,
    VFMUL = 0x03,
    VFMIN = 0x05,
    VFMAX = 0x06,
    VFMAC = 0x08,
    VFDOTPEX = 0x0B,
    VFSGNJ = 0x0D,
    VFSGNJN = 0x0E,
    VFSGNJX = 0x0F,
    VFCPKA = 0x18,
};

constexpr uint32_t encoding(operation which, uint32_t format, bool replicated) {
    return VECTORIAL << 30 | which << 25 | (replicated ? REPLICATED : 0) | format << 12 | OP;
}

template <typename Of> uint32_t halves(uint32_t d, uint32_t a, uint32_t b, Of of) {
    uint32_t result = 0;
    for (int shift : {0, 16}) {
        const auto half = [shift](uint32_t x) { return float16_t{uint16_t(x >> shift)}; };
        result |= uint32_t(of(half(d), half(a), half(b)).v) << shift;
    }
    return result;
}

float16_t with_sign(float16_t x, uint16_t sign) {
    return {uint16_t((x.v & 0x7FFF) | (sign & 0x8000))};
}

/* Products of halves and the sum of two are exact in 113 bits. Rounding their sum with d to odd
 * first makes the second rounding, to single precision, the only one that shows (Boldo and
 * Melquiond, "Emulation of a FMA and Correctly Rounded Sums", 2008). */
uint32_t dot(uint32_t d, uint32_t a, uint32_t b) {
    const auto product = [](uint32_t x, uint32_t y) {
        return f128_mul(f16_to_f128({uint16_t(x)}), f16_to_f128({uint16_t(y)}));
    };
    const uint_fast8_t mode = softfloat_roundingMode;
    const float128_t single = f32_to_f128({d});
    const float128_t products = f128_add(product(a, b), product(a >> 16, b >> 16));
    softfloat_roundingMode = softfloat_round_odd;
    float128_t sum = f128_add(products, single);
    softfloat_roundingMode = mode;
    if (sum.v[0] == 0 && sum.v[1] << 1 == 0) { /* a zero's sign is the mode's */
        sum = f128_add(products, single);
    }
    return f128_to_f32(sum).v;
}

uint32_t compute(uint32_t instruction, uint32_t d, uint32_t a, uint32_t b) {
    if (instruction & REPLICATED) {
        b = (b & 0xFFFF) | b << 16;
    }
    using h = float16_t;
    switch (instruction >> 25 & 0x1F) {
    case VFADD:
        return halves(d, a, b, [](h, h x, h y) { return f16_add(x, y); });
    case VFSUB:
        return halves(d, a, b, [](h, h x, h y) { return f16_sub(x, y); });
    case VFMUL:
        return halves(d, a, b, [](h, h x, h y) { return f16_mul(x, y); });
    case VFMIN:
        return halves(d, a, b, [](h, h x, h y) { return f16_min(x, y); });
    case VFMAX:
        return halves(d, a, b, [](h, h x, h y) { return f16_max(x, y); });
    case VFMAC:
        return halves(d, a, b, [](h z, h x, h y) { return f16_mulAdd(x, y, z); });
    case VFSGNJ:
        return halves(d, a, b, [](h, h x, h y) { return with_sign(x, y.v); });
    case VFSGNJN:
        return halves(d, a, b, [](h, h x, h y) { return with_sign(x, ~y.v); });
    case VFSGNJX:
        return halves(d, a, b, [](h, h x, h y) { return with_sign(x, x.v ^ y.v); });
    case VFDOTPEX:
        return dot(d, a, b);
    default:
        return f32_to_f16({a}).v | uint32_t(f32_to_f16({b}).v) << 16; /* VFCPKA */
    }
}

reg_t execute(processor_t *p, insn_t insn, reg_t pc) {
    state_t *const state = p->get_state();
    const uint32_t bits = uint32_t(insn.bits());
    const reg_t mode = state->frm->read();
    if (!state->sstatus->enabled(SSTATUS_FS) || mode > softfloat_round_near_maxMag) {
        throw trap_illegal_instruction(bits);
    }
    const auto read = [state](unsigned r) { return uint32_t(state->FPR[r].v[0]); };
    softfloat_roundingMode = uint_fast8_t(mode);
    const uint64_t result = compute(bits, read(insn.rd()), read(insn.rs1()), read(insn.rs2()));
    state->FPR.write(insn.rd(), {result | ~uint64_t(UINT32_MAX), ~uint64_t(0)});
    state->sstatus->dirty(SSTATUS_FS);
    if (softfloat_exceptionFlags != 0) {
        state->fflags->write(state->fflags->read() | softfloat_exceptionFlags);
        softfloat_exceptionFlags = 0;
    }
    return pc + 4;
}

class xfvec final : public extension_t {
  public:
    const char *name() const override {
        return "fvec";
    }

    std::vector<insn_desc_t> get_instructions(const processor_t &) override {
        std::vector<insn_desc_t> all;
        const auto add = [&all](operation which, uint32_t format, bool replicated) {
            const uint32_t match = encoding(which, format, replicated);
            all.push_back({match, MASK, execute, execute, execute, execute, execute, execute,
                           execute, execute});
        };
        for (const bool replicated : {false, true}) {
            for (const operation which :
                 {VFADD, VFSUB, VFMUL, VFMIN, VFMAX, VFMAC, VFSGNJ, VFSGNJN, VFSGNJX}) {
                add(which, HALF, replicated);
            }
            add(VFDOTPEX, SINGLE, replicated);
        }
        add(VFCPKA, HALF, false);
        return all;
    }

    std::vector<disasm_insn_t *> get_disasms(const processor_t *) override {
        return {};
    }
};

} // namespace

/* What `_xfvec` of the ISA string loads. */
REGISTER_EXTENSION(fvec, []() { return new xfvec; })

/* What an instruction computes without a simulator around it; flags: those that it raises. */
extern "C" uint32_t mg_xfvec(uint32_t instruction, uint32_t d, uint32_t a, uint32_t b,
                             uint32_t mode, uint32_t *flags) {
    softfloat_roundingMode = uint_fast8_t(mode);
    softfloat_exceptionFlags = 0;
    const uint32_t result = compute(instruction, d, a, b);
    *flags = softfloat_exceptionFlags;
    softfloat_exceptionFlags = 0;
    return result;
}
