/* Once for each type of floats, that of real_f32.h or real_f16.h. */
/* Offset of the first greatest value of one channel, row by row. */
static inline int32_t KERNEL(max_pool2d, first)(const mg_pool2d_params *p, mg_pool_window window,
                                                const REAL *x) {
    int32_t best = 0;
    float greatest = (float)x[0];
    for (int32_t i = 0; i < window.rows; ++i) {
        int32_t at = i * p->in_w * p->channels;
        for (int32_t j = 0; j < window.columns; ++j) {
            if (exceeds((float)x[at], greatest)) {
                greatest = (float)x[at];
                best = at;
            }
            at += p->channels;
        }
    }
    return best;
}

void KERNEL(max_pool2d, bwd_data)(const mg_pool2d_params *p, const REAL *dy, const REAL *x,
                                  REAL *dx) {
    const mg_part part = mg_share(p->channels, 4);
    const mg_part zeros = mg_share(p->in_h * p->in_w * p->channels, 4);
    __builtin_memset(dx + zeros.first, 0, (size_t)(zeros.end - zeros.first) * sizeof(REAL));
    mg_join();
    for (int32_t oy = 0; oy < p->out_h; ++oy) {
        for (int32_t ox = 0; ox < p->out_w; ++ox) {
            const mg_pool_window window = mg_pool_window_at(p, oy, ox);
            const int32_t first = window.first * p->channels;
            for (int32_t c = part.first; c < part.end; ++c) {
                REAL *const at =
                    dx + first + c + KERNEL(max_pool2d, first)(p, window, x + first + c);
                *at = (REAL)((float)*at + (float)dy[c]);
            }
            dy += p->channels;
        }
    }
}
