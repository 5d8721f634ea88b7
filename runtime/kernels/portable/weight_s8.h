/* int8 weights as a gradient takes them: each output channel has a scale. */
#include "scales.h"
#include "tile.h"

#define WEIGHT int8_t
#define QUANT  float

static inline float scale_of(const QUANT *scale, int32_t channel) {
    return scale[channel];
}

MG_INLINE void load_weights(int count, int place, const int8_t *w, float *to) {
    (void)place;
    MG_UNROLLED
    for (int i = 0; i < count; ++i) {
        to[i] = (float)w[i];
    }
}
