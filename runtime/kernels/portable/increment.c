#include "mg_kernels.h"

void mg_increment_s32_step(const int32_t *x, int32_t *y) {
    *y = (int32_t)((uint32_t)*x + 1u);
}
