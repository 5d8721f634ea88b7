/* An int8 input of a layer, as the gradient of its weights sums it: from its zero point, and
 * scaled when the sum is complete. */
#define INPUT int8_t
#define QUANT mg_quantize_s8

static inline float centred(const QUANT *q, int8_t x) {
    return (float)(x - q->zero_point);
}

static inline float scaled(const QUANT *q, float sum) {
    return q->scale * sum;
}
