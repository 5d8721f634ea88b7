/* A float input of a layer, as the gradient of its weights sums it; before it is included, REAL
 * names a type. */
#include "load_f32.h"

#define INPUT REAL
#define QUANT void

/* `count` neighbours, to the registers of `place`. */
MG_INLINE void load_inputs(int count, int place, const QUANT *q, const REAL *x, float *to) {
    (void)q;
    mg_load_f32(count, place, x, to);
}

static inline float scaled(const QUANT *q, float sum) {
    (void)q;
    return sum;
}
