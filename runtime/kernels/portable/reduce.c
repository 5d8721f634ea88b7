#include "mg_kernels.h"

/* `columns` neighbouring sums at once: their partial sums stay in registers. Each row is summed
 * by itself first, which keeps the rounding error of long sums small. */
static inline void reduce_columns(const mg_reduce_params *p, const float *x, int32_t columns,
                                  float *y) {
    float total[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int32_t i = 0; i < p->summed[0]; ++i) {
        const float *at = x + i * p->summed_stride[0];
        float row[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int32_t j = 0; j < p->summed[1]; ++j) {
            for (int32_t c = 0; c < columns; ++c) {
                row[c] += at[c];
            }
            at += p->summed_stride[1];
        }
        for (int32_t c = 0; c < columns; ++c) {
            total[c] += row[c];
        }
    }
    for (int32_t c = 0; c < columns; ++c) {
        y[c] = total[c] * p->scale;
    }
}

void mg_reduce_f32_fwd(const mg_reduce_params *p, const float *x, float *y) {
    const int32_t n = p->kept[1];
    for (int32_t i = 0; i < p->kept[0]; ++i) {
        const float *row = x + i * p->kept_stride[0];
        int32_t j = 0;
        if (p->kept_stride[1] == 1) {
            for (; j + 4 <= n; j += 4) {
                reduce_columns(p, row + j, 4, y + j);
            }
        }
        for (; j < n; ++j) {
            reduce_columns(p, row + j * p->kept_stride[1], 1, y + j);
        }
        y += n;
    }
}
