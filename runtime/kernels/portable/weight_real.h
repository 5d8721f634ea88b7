/* Float weights as a gradient takes them; before it is included, REAL and QUANT name types. */
#define WEIGHT REAL

static inline float scale_of(const QUANT *q, int32_t channel) {
    (void)q;
    (void)channel;
    return 1.0f;
}
