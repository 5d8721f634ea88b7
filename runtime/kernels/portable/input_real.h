/* A float input of a layer, as the gradient of its weights sums it; before it is included, REAL
 * names a type. */
#define INPUT REAL
#define QUANT void

static inline float centred(const QUANT *q, REAL x) {
    (void)q;
    return (float)x;
}

static inline float scaled(const QUANT *q, float sum) {
    (void)q;
    return sum;
}
