/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(softmax, fwd)(const mg_softmax_params *p, const REAL *x, REAL *y) {
    for (int32_t row = 0; row < p->rows; ++row) {
        float greatest = (float)x[0];
        for (int32_t i = 1; i < p->columns; ++i) {
            greatest = x[i] > greatest ? (float)x[i] : greatest;
        }
        float sum = 0.0f;
        for (int32_t i = 0; i < p->columns; ++i) {
            const float power = __builtin_expf(((float)x[i] - greatest) * p->beta);
            y[i] = (REAL)power;
            sum += power;
        }
        const float scale = 1.0f / sum;
        for (int32_t i = 0; i < p->columns; ++i) {
            y[i] = (REAL)((float)y[i] * scale);
        }
        x += p->columns;
        y += p->columns;
    }
}

void KERNEL(softmax, bwd_data)(const mg_softmax_params *p, const REAL *dy, const REAL *y,
                               REAL *dx) {
    for (int32_t row = 0; row < p->rows; ++row) {
        int32_t best = 0;
        for (int32_t i = 1; i < p->columns; ++i) {
            best = y[i] > y[best] ? i : best;
        }
        /* As shares add up to 1, this changes nothing but what cancels in a confident row. */
        const float base = (float)dy[best];
        float inner = 0.0f;
        for (int32_t i = 0; i < p->columns; ++i) {
            inner += ((float)dy[i] - base) * (float)y[i];
        }
        for (int32_t i = 0; i < p->columns; ++i) {
            dx[i] = (REAL)(p->beta * (float)y[i] * ((float)dy[i] - base - inner));
        }
        dy += p->columns;
        y += p->columns;
        dx += p->columns;
    }
}
