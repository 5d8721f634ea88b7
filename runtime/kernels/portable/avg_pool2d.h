/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(avg_pool2d, bwd_data)(const mg_pool2d_params *p, const REAL *dy, REAL *dx) {
    const int32_t channels = p->channels;
    __builtin_memset(dx, 0, (size_t)(p->in_h * p->in_w * channels) * sizeof(REAL));
    for (int32_t oy = 0; oy < p->out_h; ++oy) {
        for (int32_t ox = 0; ox < p->out_w; ++ox) {
            const mg_pool_window window = mg_pool_window_at(p, oy, ox);
            const float share = 1.0f / (float)(window.rows * window.columns);
            for (int32_t i = 0; i < window.rows; ++i) {
                REAL *at = dx + (window.first + i * p->in_w) * channels;
                for (int32_t j = 0; j < window.columns; ++j) {
                    for (int32_t c = 0; c < channels; ++c) {
                        at[c] = (REAL)((float)at[c] + (float)dy[c] * share);
                    }
                    at += channels;
                }
            }
            dy += channels;
        }
    }
}
