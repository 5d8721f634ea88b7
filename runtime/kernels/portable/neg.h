/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(neg, fwd)(const mg_size_params *p, const REAL *x, REAL *y) {
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = (REAL)-x[i];
    }
}
