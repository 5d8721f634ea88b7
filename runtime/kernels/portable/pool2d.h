/* The loops of the poolings. */
#ifndef MG_POOL2D_H
#define MG_POOL2D_H

#include "arithmetic.h"
#include "mg_cores.h"

/* The part of a window that lies in the image. */
typedef struct {
    int32_t first; /* pixel */
    int32_t rows, columns;
} mg_pool_window;

static inline mg_pool_window mg_pool_window_at(const mg_pool2d_params *p, int32_t oy, int32_t ox) {
    const int32_t y = oy * p->stride_h - p->pad_top, x = ox * p->stride_w - p->pad_left;
    const int32_t top = mg_max(y, 0), bottom = mg_min(y + p->kernel_h, p->in_h);
    const int32_t left = mg_max(x, 0), right = mg_min(x + p->kernel_w, p->in_w);
    return (mg_pool_window){top * p->in_w + left, bottom - top, right - left};
}

/* Defines a forward kernel. `sum_type join(sum_type, type)` folds a window up from `start`, and
 * `type finish(const quant_type *q, sum_type, int32_t pixels)` makes the result of it. Four
 * channels at a time stay in registers. */
#define MG_POOL2D(symbol, type, sum_type, quant_type, start, join, finish)                         \
    static inline void symbol##_tile(const mg_pool2d_params *p, const quant_type *q,               \
                                     mg_pool_window window, int32_t width, const type *x,          \
                                     type *y) {                                                    \
        sum_type sum[4] = {start, start, start, start};                                            \
        for (int32_t i = 0; i < window.rows; ++i) {                                                \
            const type *at = x + i * p->in_w * p->channels;                                        \
            for (int32_t j = 0; j < window.columns; ++j) {                                         \
                for (int32_t c = 0; c < width; ++c) {                                              \
                    sum[c] = join(sum[c], at[c]);                                                  \
                }                                                                                  \
                at += p->channels;                                                                 \
            }                                                                                      \
        }                                                                                          \
        for (int32_t c = 0; c < width; ++c) {                                                      \
            y[c] = finish(q, sum[c], window.rows * window.columns);                                \
        }                                                                                          \
    }                                                                                              \
    void symbol(const mg_pool2d_params *p, const quant_type *q, const type *x, type *y) {          \
        const mg_part part = mg_share(p->channels, 4);                                             \
        for (int32_t oy = 0; oy < p->out_h; ++oy) {                                                \
            for (int32_t ox = 0; ox < p->out_w; ++ox) {                                            \
                const mg_pool_window window = mg_pool_window_at(p, oy, ox);                        \
                const type *at = x + window.first * p->channels;                                   \
                int32_t c = part.first;                                                            \
                for (; c + 4 <= part.end; c += 4) {                                                \
                    symbol##_tile(p, q, window, 4, at + c, y + c);                                 \
                }                                                                                  \
                for (; c < part.end; ++c) {                                                        \
                    symbol##_tile(p, q, window, 1, at + c, y + c);                                 \
                }                                                                                  \
                y += p->channels;                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

#endif
