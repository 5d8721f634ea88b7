#include "mg_cores.h"
#include "mg_kernels_f16.h"

#ifdef MG_HALF
void mg_cast_f32_fwd(const mg_size_params *p, const float *x, mg_f16 *y) {
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        y[i] = (mg_f16)x[i];
    }
}

void mg_cast_f16_fwd(const mg_size_params *p, const mg_f16 *x, float *y) {
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        y[i] = (float)x[i];
    }
}
#endif
