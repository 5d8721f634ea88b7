/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(neg, fwd)(const mg_size_params *p, const REAL *x, REAL *y) {
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        y[i] = (REAL)-x[i];
    }
}
