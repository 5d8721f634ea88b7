/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(tanh, fwd)(const mg_size_params *p, const REAL *x, REAL *y) {
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = (REAL)tanh_f32((float)x[i]);
    }
}

void KERNEL(tanh, bwd_data)(const mg_size_params *p, const REAL *dy, const REAL *y, REAL *dx) {
    for (int32_t i = 0; i < p->size; ++i) {
        const float value = (float)y[i];
        dx[i] = (REAL)((float)dy[i] * (1.0f - value * value));
    }
}
