/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(logistic, fwd)(const mg_size_params *p, const REAL *x, REAL *y) {
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        /* Of the negative magnitude, so that the exponential cannot overflow. */
        const float small = __builtin_expf(-__builtin_fabsf((float)x[i]));
        y[i] = (REAL)((x[i] < 0.0f ? small : 1.0f) / (1.0f + small));
    }
}

void KERNEL(logistic, bwd_data)(const mg_size_params *p, const REAL *dy, const REAL *y, REAL *dx) {
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        const float value = (float)y[i];
        dx[i] = (REAL)((float)dy[i] * value * (1.0f - value));
    }
}
