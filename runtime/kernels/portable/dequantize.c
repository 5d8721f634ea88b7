#include "mg_kernels.h"

void mg_dequantize_s8_fwd(const mg_size_params *p, const mg_quantize_s8 *q, const int8_t *x,
                          float *y) {
    const mg_quantize_s8 quant = *q;
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = quant.scale * (float)(x[i] - quant.zero_point);
    }
}
