/* Sums and differences, int8, as LiteRT's reference kernels round them. What the code of an operand
 * is at the fine scale that both share is looked up. */
#include "elementwise.h"

#define CODES 256 /* of an operand */

/* Tables of both operands, from the code 0 on, and how a sum becomes a code; rounding 0: only the
 * rule itself serves. */
typedef struct {
    const int32_t *a, *b;
    int32_t multiplier, shift, rounding, zero_point, low, high;
} sums;

MG_INLINE int8_t sum_s8(const sums *q, int8_t a, int8_t b) {
    const int32_t sum = q->a[a] + q->b[b];
    const int32_t y = q->rounding != 0
                          ? mg_multiply_doubled(2 * sum, q->multiplier, -q->shift, q->rounding)
                          : mg_multiply_quantized(sum, q->multiplier, q->shift) + q->zero_point;
    return mg_limit_s8(y, q->low, q->high);
}

MG_ELEMENTWISE_PART(all_sums, int8_t, sums, sum_s8)

/* Each at most 2^28; sign: of the operand. Gives the place of the code 0. */
MG_APART const int32_t *table_of(int32_t zero_point, int32_t multiplier, int32_t shift,
                                 int32_t sign, int32_t *table) {
    MG_ROLLED
    for (int32_t code = 0; code < CODES; ++code) {
        const int32_t x = (code - CODES / 2 - zero_point) * (1 << 20);
        table[code] = sign * mg_multiply_quantized(x, multiplier, shift);
    }
    return table + CODES / 2;
}

static void sum(int32_t *tables, const mg_elementwise_params *p, const mg_sum_s8 *q, int32_t sign,
                const int8_t *a, const int8_t *b, int8_t *y) {
    const int32_t shift = q->y_shift;
    const int quick = shift <= -1 && shift >= -22;
    const sums s = {
        .a = table_of(q->a_zero_point, q->a_multiplier, q->a_shift, 1, tables),
        .b = table_of(q->b_zero_point, q->b_multiplier, q->b_shift, sign, tables + CODES),
        .multiplier = q->y_multiplier,
        .shift = shift,
        .rounding = quick ? (2 * q->y_zero_point + 1) * (1 << (-shift - 1)) : 0,
        .zero_point = q->y_zero_point,
        .low = q->low,
        .high = q->high,
    };
    all_sums_part(p, &s, a, b, y, mg_share(p->shape[3], 4));
}

static size_t tables_size(void) {
    return (size_t)2 * CODES * sizeof(int32_t);
}

size_t mg_add_s8_fwd_scratch_size(const mg_elementwise_params *p) {
    (void)p;
    return tables_size();
}

size_t mg_sub_s8_fwd_scratch_size(const mg_elementwise_params *p) {
    (void)p;
    return tables_size();
}

void mg_add_s8_fwd(void *scratch, const mg_elementwise_params *p, const mg_sum_s8 *q,
                   const int8_t *a, const int8_t *b, int8_t *y) {
    sum(scratch, p, q, 1, a, b, y);
}

void mg_sub_s8_fwd(void *scratch, const mg_elementwise_params *p, const mg_sum_s8 *q,
                   const int8_t *a, const int8_t *b, int8_t *y) {
    sum(scratch, p, q, -1, a, b, y);
}
