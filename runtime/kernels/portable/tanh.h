/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(tanh, fwd)(const mg_size_params *p, const REAL *x, REAL *y) {
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        y[i] = (REAL)tanh_f32((float)x[i]);
    }
}

void KERNEL(tanh, bwd_data)(const mg_size_params *p, const REAL *dy, const REAL *y, REAL *dx) {
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        const float value = (float)y[i];
        dx[i] = (REAL)((float)dy[i] * (1.0f - value * value));
    }
}
