/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(leaky_relu, fwd)(const mg_leaky_relu_params *p, const REAL *x, REAL *y) {
    const float alpha = p->alpha;
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        y[i] = x[i] > 0.0f ? x[i] : (REAL)((float)x[i] * alpha);
    }
}

void KERNEL(leaky_relu, bwd_data)(const mg_leaky_relu_params *p, const REAL *dy, const REAL *x,
                                  REAL *dx) {
    const float alpha = p->alpha;
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        dx[i] = x[i] > 0.0f ? dy[i] : (REAL)((float)dy[i] * alpha);
    }
}
