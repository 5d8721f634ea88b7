/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(clamp, fwd)(const mg_size_params *p, const mg_clamp_f32 *q, const REAL *x, REAL *y) {
    const mg_clamp_f32 range = *q;
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = (REAL)mg_limit_f32((float)x[i], range);
    }
}

void KERNEL(clamp, bwd_data)(const mg_size_params *p, const mg_clamp_f32 *q, const REAL *dy,
                             const REAL *y, REAL *dx) {
    const mg_clamp_f32 range = *q;
    for (int32_t i = 0; i < p->size; ++i) {
        dx[i] = y[i] > range.low && y[i] < range.high ? dy[i] : (REAL)0.0f;
    }
}
