/* int8 weights as a gradient takes them: each output channel has a scale. */
#include "scales.h"

#define WEIGHT int8_t
#define QUANT  float

static inline float scale_of(const QUANT *scale, int32_t channel) {
    return scale[channel];
}
