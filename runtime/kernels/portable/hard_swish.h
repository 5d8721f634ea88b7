/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(hard_swish, fwd)(const mg_size_params *p, const REAL *x, REAL *y) {
    const mg_clamp_f32 gate = {0.0f, 1.0f};
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        const float value = (float)x[i];
        y[i] = (REAL)(value * mg_limit_f32((value + 3.0f) * (1.0f / 6.0f), gate));
    }
}

void KERNEL(hard_swish, bwd_data)(const mg_size_params *p, const REAL *dy, const REAL *x,
                                  REAL *dx) {
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        const float value = (float)x[i], gradient = (float)dy[i];
        const float slope = value * (1.0f / 3.0f) + 0.5f;
        dx[i] = (REAL)(value <= -3.0f ? 0.0f : value >= 3.0f ? gradient : gradient * slope);
    }
}
