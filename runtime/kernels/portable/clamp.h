/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(clamp, fwd)(const mg_size_params *p, const mg_clamp_f32 *q, const REAL *x, REAL *y) {
    const mg_clamp_f32 range = *q;
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        y[i] = (REAL)mg_limit_f32((float)x[i], range);
    }
}

/* A few elements; what was at a limit passes nothing. */
MG_INLINE void KERNEL(clamp, pass)(int count, mg_clamp_f32 range, const REAL *dy, const REAL *y,
                                   REAL *dx) {
    MG_UNROLLED
    for (int i = 0; i < count; ++i) {
        const int passes = ((float)y[i] > range.low) & ((float)y[i] < range.high);
        dx[i] = passes ? dy[i] : (REAL)0.0f;
    }
}

void KERNEL(clamp, bwd_data)(const mg_size_params *p, const mg_clamp_f32 *q, const REAL *dy,
                             const REAL *y, REAL *dx) {
    const mg_clamp_f32 range = *q;
    const mg_part part = mg_share(p->size, MG_UNROLL);
    int32_t left = part.end - part.first;
    dy += part.first;
    y += part.first;
    dx += part.first;
    MG_ROLLED
    for (; left >= MG_UNROLL; left -= MG_UNROLL) {
        KERNEL(clamp, pass)(MG_UNROLL, range, dy, y, dx);
        dy += MG_UNROLL;
        y += MG_UNROLL;
        dx += MG_UNROLL;
    }
    MG_ROLLED
    for (int32_t i = 0; i < left; ++i) {
        KERNEL(clamp, pass)(1, range, dy + i, y + i, dx + i);
    }
}
