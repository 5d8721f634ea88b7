/* An int8 input of a layer, as the gradient of its weights sums it: from its zero point, and
 * scaled when the sum is complete. */
#include "tile.h"

#define INPUT int8_t
#define QUANT mg_quantize_s8

MG_INLINE void load_inputs(int count, int place, const QUANT *q, const int8_t *x, float *to) {
    (void)place;
    MG_UNROLLED
    for (int i = 0; i < count; ++i) {
        to[i] = (float)(x[i] - q->zero_point);
    }
}

static inline float scaled(const QUANT *q, float sum) {
    return q->scale * sum;
}
