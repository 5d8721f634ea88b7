#include "pool2d.h"

/* A NaN is greater than all else, so that it shows in the loss; the first one stays. */
static inline int exceeds(float x, float greatest) {
    return x > greatest || (x != x && greatest == greatest);
}

static inline float greater_f32(float greatest, float x) {
    return exceeds(x, greatest) ? x : greatest;
}

static inline float limit_f32(const mg_clamp_f32 *q, float x, int32_t pixels) {
    (void)pixels;
    return mg_limit_f32(x, *q);
}

static inline int32_t greater_s8(int32_t greatest, int8_t x) {
    return mg_max(greatest, x);
}

static inline int8_t limit_s8(const mg_range_s8 *q, int32_t x, int32_t pixels) {
    (void)pixels;
    return mg_limit_s8(x, q->low, q->high);
}

MG_POOL2D(mg_max_pool2d_f32_fwd, float, float, mg_clamp_f32, -__builtin_inff(), greater_f32,
          limit_f32)
MG_POOL2D(mg_max_pool2d_s8_fwd, int8_t, int32_t, mg_range_s8, -128, greater_s8, limit_s8)

/* Offset of the first greatest value of one channel, row by row. */
static inline int32_t first_greatest(const mg_pool2d_params *p, mg_pool_window window,
                                     const float *x) {
    int32_t best = 0;
    float greatest = x[0];
    for (int32_t i = 0; i < window.rows; ++i) {
        int32_t at = i * p->in_w * p->channels;
        for (int32_t j = 0; j < window.columns; ++j) {
            if (exceeds(x[at], greatest)) {
                greatest = x[at];
                best = at;
            }
            at += p->channels;
        }
    }
    return best;
}

void mg_max_pool2d_f32_bwd_data(const mg_pool2d_params *p, const float *dy, const float *x,
                                float *dx) {
    __builtin_memset(dx, 0, (size_t)(p->in_h * p->in_w * p->channels) * sizeof(float));
    for (int32_t oy = 0; oy < p->out_h; ++oy) {
        for (int32_t ox = 0; ox < p->out_w; ++ox) {
            const mg_pool_window window = mg_pool_window_at(p, oy, ox);
            const int32_t first = window.first * p->channels;
            for (int32_t c = 0; c < p->channels; ++c) {
                dx[first + c + first_greatest(p, window, x + first + c)] += *dy++;
            }
        }
    }
}
