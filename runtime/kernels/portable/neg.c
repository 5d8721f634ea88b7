#include "mg_kernels.h"

void mg_neg_f32_fwd(const mg_size_params *p, const float *x, float *y) {
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = -x[i];
    }
}
