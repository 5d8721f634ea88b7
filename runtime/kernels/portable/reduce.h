/* Once for each type of floats, that of real_f32.h or real_f16.h. */
/* `columns` neighbouring sums at once: their partial sums stay in registers. Each row is summed
 * by itself first, which keeps the rounding error of long sums small. */
static inline void KERNEL(reduce, columns)(const mg_reduce_params *p, const REAL *x,
                                           int32_t columns, REAL *y) {
    float total[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int32_t i = 0; i < p->summed[0]; ++i) {
        const REAL *at = x + i * p->summed_stride[0];
        float row[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int32_t j = 0; j < p->summed[1]; ++j) {
            for (int32_t c = 0; c < columns; ++c) {
                row[c] += (float)at[c];
            }
            at += p->summed_stride[1];
        }
        for (int32_t c = 0; c < columns; ++c) {
            total[c] += row[c];
        }
    }
    for (int32_t c = 0; c < columns; ++c) {
        y[c] = (REAL)(total[c] * p->scale);
    }
}

void KERNEL(reduce, fwd)(const mg_reduce_params *p, const REAL *x, REAL *y) {
    const int32_t n = p->kept[1];
    const mg_part part = mg_share(n, 4);
    for (int32_t i = 0; i < p->kept[0]; ++i) {
        const REAL *row = x + i * p->kept_stride[0];
        int32_t j = part.first;
        if (p->kept_stride[1] == 1) {
            for (; j + 4 <= part.end; j += 4) {
                KERNEL(reduce, columns)(p, row + j, 4, y + j);
            }
        }
        for (; j < part.end; ++j) {
            KERNEL(reduce, columns)(p, row + j * p->kept_stride[1], 1, y + j);
        }
        y += n;
    }
}
