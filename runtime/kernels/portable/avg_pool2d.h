/* Once for each type of floats, that of real_f32.h or real_f16.h. */
void KERNEL(avg_pool2d, bwd_data)(const mg_pool2d_params *p, const REAL *dy, REAL *dx) {
    const int32_t channels = p->channels;
    const mg_part zeros = mg_share(p->in_h * p->in_w * channels, 4), part = mg_share(channels, 4);
    __builtin_memset(dx + zeros.first, 0, (size_t)(zeros.end - zeros.first) * sizeof(REAL));
    mg_join();
    for (int32_t oy = 0; oy < p->out_h; ++oy) {
        for (int32_t ox = 0; ox < p->out_w; ++ox) {
            const mg_pool_window window = mg_pool_window_at(p, oy, ox);
            const float share = 1.0f / (float)(window.rows * window.columns);
            for (int32_t i = 0; i < window.rows; ++i) {
                REAL *at = dx + (window.first + i * p->in_w) * channels;
                for (int32_t j = 0; j < window.columns; ++j) {
                    for (int32_t c = part.first; c < part.end; ++c) {
                        at[c] = (REAL)((float)at[c] + (float)dy[c] * share);
                    }
                    at += channels;
                }
            }
            dy += channels;
        }
    }
}
