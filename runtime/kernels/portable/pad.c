#include "mg_kernels_f16.h"

static void copy_box(const mg_box_params *p, const uint8_t *src, uint8_t *dst) {
    src += p->src_offset;
    dst += p->dst_offset;
    for (int32_t i = 0; i < p->shape[0]; ++i) {
        for (int32_t j = 0; j < p->shape[1]; ++j) {
            const uint8_t *from = src + i * p->src_stride[0] + j * p->src_stride[1];
            uint8_t *to = dst + i * p->dst_stride[0] + j * p->dst_stride[1];
            for (int32_t k = 0; k < p->shape[2]; ++k) {
                __builtin_memcpy(to, from, (size_t)p->row_bytes);
                from += p->src_stride[2];
                to += p->dst_stride[2];
            }
        }
    }
}

void mg_pad_s8_fwd(const mg_box_params *p, const mg_pad_s8 *q, const int8_t *x, int8_t *y) {
    __builtin_memset(y, q->zero_point, (size_t)p->dst_bytes);
    copy_box(p, (const uint8_t *)x, (uint8_t *)y);
}

void mg_pad_f32_fwd(const mg_box_params *p, const float *x, float *y) {
    __builtin_memset(y, 0, (size_t)p->dst_bytes);
    copy_box(p, (const uint8_t *)x, (uint8_t *)y);
}

#ifdef MG_HALF
void mg_pad_f16_fwd(const mg_box_params *p, const mg_f16 *x, mg_f16 *y) {
    __builtin_memset(y, 0, (size_t)p->dst_bytes);
    copy_box(p, (const uint8_t *)x, (uint8_t *)y);
}
#endif

void mg_slice_s8_fwd(const mg_box_params *p, const int8_t *x, int8_t *y) {
    copy_box(p, (const uint8_t *)x, (uint8_t *)y);
}

void mg_slice_f32_fwd(const mg_box_params *p, const float *x, float *y) {
    copy_box(p, (const uint8_t *)x, (uint8_t *)y);
}

#ifdef MG_HALF
void mg_slice_f16_fwd(const mg_box_params *p, const mg_f16 *x, mg_f16 *y) {
    copy_box(p, (const uint8_t *)x, (uint8_t *)y);
}
#endif
