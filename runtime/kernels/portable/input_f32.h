/* A float input of a layer, as the gradient of its weights sums it. */
#define INPUT float
#define QUANT void

static inline float centred(const QUANT *q, float x) {
    (void)q;
    return x;
}

static inline float scaled(const QUANT *q, float sum) {
    (void)q;
    return sum;
}
