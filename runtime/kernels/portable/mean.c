#include "arithmetic.h"
#include "mg_cores.h"

static inline int32_t sum_s8(const mg_reduce_params *p, const int8_t *x) {
    int32_t sum = 0;
    for (int32_t i = 0; i < p->summed[0]; ++i) {
        const int8_t *at = x + i * p->summed_stride[0];
        for (int32_t j = 0; j < p->summed[1]; ++j) {
            sum += *at;
            at += p->summed_stride[1];
        }
    }
    return sum;
}

void mg_mean_s8_fwd(const mg_reduce_params *p, const mg_mean_s8 *q, const int8_t *x, int8_t *y) {
    const mg_part part = mg_share(p->kept[1], 1);
    for (int32_t i = 0; i < p->kept[0]; ++i, y += p->kept[1]) {
        for (int32_t j = part.first; j < part.end; ++j) {
            const int8_t *at = x + i * p->kept_stride[0] + j * p->kept_stride[1];
            const int32_t sum = sum_s8(p, at) - q->x_zero_points;
            const int32_t mean = mg_multiply_quantized(sum, q->multiplier, q->shift);
            y[j] = mg_limit_s8(mean + q->y_zero_point, -128, 127);
        }
    }
}

#include "real_f32.h"

#include "mean.h"

#include "real_f16.h"

#ifdef MG_HALF
#include "mean.h"
#endif
