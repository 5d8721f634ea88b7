#include "mg_kernels_f16.h"
#include "mg_kernels_s16.h"

static void gather(const mg_runs_params *p, const uint8_t *x, int32_t itemsize, uint8_t *y) {
    for (int32_t i = 0; i < p->outer; ++i) {
        for (int32_t k = 0; k < p->count; ++k) {
            const size_t bytes = (size_t)p->length[k] * (size_t)itemsize;
            __builtin_memcpy(y, x + p->start[k] * itemsize, bytes);
            y += bytes;
        }
        x += p->stride * itemsize;
    }
}

void mg_gather_channels_s8_fwd(const mg_runs_params *p, const int8_t *x, int8_t *y) {
    gather(p, (const uint8_t *)x, (int32_t)sizeof *x, (uint8_t *)y);
}

void mg_gather_channels_s16_fwd(const mg_runs_params *p, const int16_t *x, int16_t *y) {
    gather(p, (const uint8_t *)x, (int32_t)sizeof *x, (uint8_t *)y);
}

void mg_gather_channels_f32_fwd(const mg_runs_params *p, const float *x, float *y) {
    gather(p, (const uint8_t *)x, (int32_t)sizeof *x, (uint8_t *)y);
}

#ifdef MG_HALF
void mg_gather_channels_f16_fwd(const mg_runs_params *p, const mg_f16 *x, mg_f16 *y) {
    gather(p, (const uint8_t *)x, (int32_t)sizeof *x, (uint8_t *)y);
}
#endif
