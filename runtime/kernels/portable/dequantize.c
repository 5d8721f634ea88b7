#include "mg_kernels_f16.h"
#include "mg_kernels_s16.h"
#include "scales.h"

void mg_dequantize_s8_fwd(const mg_size_params *p, const mg_quantize_s8 *q, const int8_t *x,
                          float *y) {
    const mg_quantize_s8 quant = *q;
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = quant.scale * (float)(x[i] - quant.zero_point);
    }
}

#ifdef MG_HALF
void mg_dequantize_half_s8_fwd(const mg_size_params *p, const mg_quantize_s8 *q, const int8_t *x,
                               mg_f16 *y) {
    const mg_quantize_s8 quant = *q;
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = (mg_f16)(quant.scale * (float)(x[i] - quant.zero_point));
    }
}
#endif

void mg_dequantize_s32_fwd(const mg_size_params *p, const mg_quantize_s8 *q, const int32_t *x,
                           float *y) {
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = q->scale * (float)x[i];
    }
}

void mg_dequantize_axis_s8_fwd(const mg_axis_params *p, const mg_scales *q, const int8_t *x,
                               float *y) {
    for (int32_t i = 0; i < p->outer; ++i) {
        for (int32_t k = 0; k < q->count; ++k) {
            const float scale = mg_scale_at(q, k);
            for (int32_t j = 0; j < p->run; ++j) {
                *y++ = scale * (float)*x++;
            }
        }
    }
}
