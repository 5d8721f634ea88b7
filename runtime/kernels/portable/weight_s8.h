/* int8 weights as the factors of a gradient: the real weights, scaled per output channel. */
#define WEIGHT int8_t

static inline float factor_of(const mg_scales *q, int32_t channel, int8_t w) {
    return q->scale[channel] * (float)w;
}
