/* Cross-entropy of integer logits in fixed point, the same bits on every device. */
#include "integer_gradient.h"
#include "tile.h"

#define ONE ((int64_t)1 << 30)

/* 2^-(x / 2^20) in Q30. The polynomial interpolates 2^-f on [0, 1] at Chebyshev points, to
 * within 6e-8. */
MG_APART int64_t power(int64_t x) {
    const int64_t whole = x >> 20, f = x & ((1 << 20) - 1);
    int64_t sum = -1017428;
    sum = 9890102 + ((sum * f) >> 20);
    sum = -59377501 + ((sum * f) >> 20);
    sum = 257890763 + ((sum * f) >> 20);
    sum = -744256846 + ((sum * f) >> 20);
    sum = 1073741765 + ((sum * f) >> 20);
    return whole > 30 ? 0 : sum >> whole;
}

/* The binary logarithm of x >= 1 in Q30, in Q20: bit by bit, by squaring. */
MG_APART int64_t logarithm(int64_t x) {
    int64_t whole = 0;
    while (x >= 2 * ONE) {
        x >>= 1;
        whole++;
    }
    MG_ROLLED
    for (int k = 0; k < 20; ++k) {
        x = (x * x) >> 30;
        const int64_t bit = x >= 2 * ONE;
        x >>= bit;
        whole = 2 * whole + bit;
    }
    return whole;
}

/* Logit `i` as a power of two below the largest, in Q20. */
static int64_t below(const mg_integer_loss *q, int64_t largest, int64_t logit) {
    const int64_t x = ((largest - logit) * q->multiplier) >> q->shift;
    return x < ONE ? x : ONE;
}

/* part / sum in Q30, for 0 <= part <= sum; 0 / 0 is 0. Bit by bit: a 64-bit division takes more
 * flash than the rest of the loss. */
MG_APART int32_t ratio(int64_t part, int64_t sum) {
    int32_t quotient = 0;
    while (sum >= 8 * ONE) {
        part >>= 1;
        sum >>= 1;
    }
    MG_ROLLED
    for (int k = 0; k <= 30 && sum > 0; ++k) {
        const int bit = part >= sum;
        quotient = 2 * quotient + bit;
        part = 2 * (bit ? part - sum : part);
    }
    return quotient;
}

#define MG_INTEGER_CROSS_ENTROPY(symbol, type)                                                     \
    void symbol(const mg_size_params *p, const mg_integer_loss *q, const type *logits,             \
                const int32_t *target, float *loss, int16_t *dlogits, int32_t *exponent) {         \
        int64_t largest = logits[0], others = 0;                                                   \
        MG_ROLLED                                                                                  \
        for (int32_t i = 1; i < p->size; ++i) {                                                    \
            largest = logits[i] > largest ? logits[i] : largest;                                   \
        }                                                                                          \
        const int64_t of_target = below(q, largest, logits[*target]);                              \
        for (int32_t i = 0; i < p->size; ++i) {                                                    \
            others += i == *target ? 0 : power(below(q, largest, logits[i]));                      \
        }                                                                                          \
        const int64_t sum = others + power(of_target);                                             \
        /* Of the target the rest of the sum, which keeps a confident sample's small gradient;     \
         * it is the largest, as it is minus the sum of the others. */                             \
        const int32_t rest = ratio(others, sum), bits = mg_bits((uint32_t)rest);                   \
        for (int32_t i = 0; i < p->size; ++i) {                                                    \
            const int32_t share =                                                                  \
                i == *target ? -rest : ratio(power(below(q, largest, logits[i])), sum);            \
            dlogits[i] =                                                                           \
                mg_code(bits > MG_CODE_BITS ? mg_rounded_shift(share, bits - MG_CODE_BITS)         \
                                            : share * (1 << (MG_CODE_BITS - bits)));               \
        }                                                                                          \
        exponent[MG_EXPONENT] = bits - MG_CODE_BITS;                                               \
        exponent[MG_BITS] = bits == 0 ? 0 : MG_CODE_BITS + 1;                                      \
        const int32_t bits_of_loss = (int32_t)(logarithm(sum) + of_target); /* below 2^31 */       \
        *loss = (float)bits_of_loss * q->ln2;                                                      \
    }

MG_INTEGER_CROSS_ENTROPY(mg_integer_cross_entropy_s8_fwd, int8_t)
MG_INTEGER_CROSS_ENTROPY(mg_integer_cross_entropy_s32_fwd, int32_t)
