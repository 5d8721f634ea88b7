/* Float weights as a gradient takes them; before it is included, REAL and QUANT name types. */
#include "load_f32.h"

#define WEIGHT REAL

static inline float scale_of(const QUANT *q, int32_t channel) {
    (void)q;
    (void)channel;
    return 1.0f;
}

/* `count` neighbours, to the registers of `place`. */
MG_INLINE void load_weights(int count, int place, const REAL *w, float *to) {
    mg_load_f32(count, place, w, to);
}
