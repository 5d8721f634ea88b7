/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(mean, bwd_data)(const mg_reduce_params *p, const REAL *dy, REAL *dx) {
    const mg_part part = mg_share(p->kept[1], 4);
    for (int32_t i = 0; i < p->kept[0]; ++i) {
        for (int32_t j = part.first; j < part.end; ++j) {
            const REAL share = (REAL)((float)dy[j] * p->scale);
            for (int32_t k = 0; k < p->summed[0]; ++k) {
                REAL *at =
                    dx + i * p->kept_stride[0] + j * p->kept_stride[1] + k * p->summed_stride[0];
                for (int32_t l = 0; l < p->summed[1]; ++l) {
                    *at = share;
                    at += p->summed_stride[1];
                }
            }
        }
        dy += p->kept[1];
    }
}
