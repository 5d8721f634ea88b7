#include "pool2d.h"

static inline float add_f32(float sum, float x) {
    return sum + x;
}

static inline float mean_f32(const mg_clamp_f32 *q, float sum, int32_t pixels) {
    return mg_limit_f32(sum / (float)pixels, *q);
}

static inline int32_t add_s8(int32_t sum, int8_t x) {
    return sum + x;
}

static inline int8_t mean_s8(const mg_range_s8 *q, int32_t sum, int32_t pixels) {
    const int32_t half = pixels / 2;
    return mg_limit_s8((sum > 0 ? sum + half : sum - half) / pixels, q->low, q->high);
}

MG_POOL2D(mg_avg_pool2d_f32_fwd, float, float, mg_clamp_f32, 0.0f, add_f32, mean_f32)
MG_POOL2D(mg_avg_pool2d_s8_fwd, int8_t, int32_t, mg_range_s8, 0, add_s8, mean_s8)

void mg_avg_pool2d_f32_bwd_data(const mg_pool2d_params *p, const float *dy, float *dx) {
    const int32_t channels = p->channels;
    __builtin_memset(dx, 0, (size_t)(p->in_h * p->in_w * channels) * sizeof(float));
    for (int32_t oy = 0; oy < p->out_h; ++oy) {
        for (int32_t ox = 0; ox < p->out_w; ++ox) {
            const mg_pool_window window = mg_pool_window_at(p, oy, ox);
            const float share = 1.0f / (float)(window.rows * window.columns);
            for (int32_t i = 0; i < window.rows; ++i) {
                float *at = dx + (window.first + i * p->in_w) * channels;
                for (int32_t j = 0; j < window.columns; ++j) {
                    for (int32_t c = 0; c < channels; ++c) {
                        at[c] += dy[c] * share;
                    }
                    at += channels;
                }
            }
            dy += channels;
        }
    }
}
