/* Float weights as the factors of a gradient; before it is included, QUANT names a type. */
#define WEIGHT float

static inline float factor_of(const QUANT *q, int32_t channel, float w) {
    (void)q;
    (void)channel;
    return w;
}
