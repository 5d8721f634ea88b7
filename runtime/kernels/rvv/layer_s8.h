/* What int8 layers make of their operands: what layer_real.h has for floats. */
#include "rvv_s8.h"

#define BIAS  int32_t
#define QUANT mg_requant_s8

static inline mg_sums start(const int32_t *b, int32_t channel, size_t n) {
    return b != NULL ? mg_load_sums(b + channel, n) : mg_all(0, n);
}

static inline int16_t factor(const mg_requant_s8 *q, int8_t x) {
    return (int16_t)(x - q->input_zero_point);
}

static inline mg_vector inputs(const mg_requant_s8 *q, const int8_t *x, size_t n) {
    return mg_load_less(x, (int8_t)q->input_zero_point, n);
}

static inline void finish(mg_sums sums, const mg_requant_s8 *q, int32_t channel, int8_t *y,
                          size_t n) {
    sums = mg_multiplied(sums, q->multiplier + channel, q->shift + channel, n);
    mg_store(y + channel, mg_narrowed(sums, q->output_zero_point, q->low, q->high, n), n);
}
