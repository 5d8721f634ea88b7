/* int8 weights as a gradient takes them: each output channel has a scale. */
#include "scales.h"

#define WEIGHT int8_t
#define QUANT  mg_scales

static inline float scale_of(const QUANT *q, int32_t channel) {
    return mg_scale_at(q, channel);
}
