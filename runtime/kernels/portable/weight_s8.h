/* int8 weights as the factors of a gradient: the real weights, scaled per output channel. */
#define WEIGHT int8_t
#define QUANT  float /* the scales */

static inline float factor_of(const QUANT *scale, int32_t channel, int8_t w) {
    return scale[channel] * (float)w;
}
