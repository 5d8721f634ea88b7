/* The gradient of an int8 depthwise convolution's input, in int16. */
#include "depthwise_conv2d_window.h"
#include "integer_gradient.h"

#define ELEMENT       int16_t
#define WEIGHT        int8_t
#define BIAS          int32_t
#define QUANT         mg_narrowing
#define SUM           int32_t
#define FINISH        mg_narrowing
#define LANES         1
#define COLUMNS       1
#define TILE_PIXELS   2
#define TILE_LEAST    TILE_PIXELS
#define TILE_CHANNELS 4

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    return mg_depthwise_backward_window(p, rows, columns);
}

MG_INLINE void tile(int pixels, int channels, const mg_window *v, const mg_narrowing *q,
                    const int16_t *const *dy, const int8_t *w, const int32_t *b, int32_t channel,
                    int16_t *const *dx) {
    (void)b;
    int32_t sums[TILE_PIXELS][TILE_CHANNELS] = {{0}};
    for (int32_t m = 0; m < v->run; ++m) {
        const int16_t *from[TILE_PIXELS];
        const int8_t *factor = w + m;
        MG_UNROLLED
        for (int i = 0; i < pixels; ++i) {
            from[i] = dy[i] + channel * v->run + m;
        }
        MG_ROLLED
        for (int32_t rows = v->rows; rows != 0; --rows) {
            MG_ROLLED
            for (int32_t runs = v->runs; runs != 0; --runs) {
                MG_UNROLLED
                for (int j = 0; j < channels; ++j) {
                    MG_UNROLLED
                    for (int i = 0; i < pixels; ++i) {
                        sums[i][j] += from[i][j] * factor[j];
                        MG_COMPLETE(sums[i][j]);
                    }
                }
                MG_UNROLLED
                for (int i = 0; i < pixels; ++i) {
                    from[i] += v->source_run;
                    MG_COMPLETE(from[i]); /* or there would be pointers to rows beside it */
                }
                factor += v->w_run;
            }
            MG_UNROLLED
            for (int i = 0; i < pixels; ++i) {
                from[i] += v->source_row - v->source_run;
            }
            factor += v->w_row - v->w_run;
        }
    }
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        MG_UNROLLED
        for (int j = 0; j < channels; ++j) {
            dx[i][channel + j] = mg_narrowed(*q, sums[i][j]);
        }
    }
}

MG_INLINE void load_lanes(int place, const int16_t *x, int32_t *to) {
    (void)place;
    *to = *x;
}

static inline mg_narrowing finish_of(const mg_narrowing *q, int32_t channel) {
    (void)channel;
    return *q;
}

static inline void finish(mg_narrowing q, int32_t sum, int16_t *dx) {
    *dx = mg_narrowed(q, sum);
}

#include "slide.h"
#include "walk.h"

/* Apart from the general walk: both need all registers. */
MG_APART void slid(const mg_conv2d_params *p, const mg_narrowing *q, const int16_t *dy,
                   const int8_t *w, int16_t *dx, mg_grid grid) {
    const slide g = slide_backward(p);
    slide_all(&g, q, dy, w + 8 * p->in_c, NULL, dx, grid);
}

void mg_depthwise_conv2d_s16_bwd_data(const mg_conv2d_params *p, const int16_t *dy, const int8_t *w,
                                      const int32_t *exponent, const int32_t *range, int16_t *dx,
                                      int32_t *dx_exponent, int32_t *range_next) {
    uint32_t seen = 0;
    const mg_narrowing q = mg_narrowing_of(exponent, range, &seen);
    const uint32_t tiles = mg_grains((uint32_t)p->in_c, TILE_CHANNELS);
    const mg_grid grid = mg_grid_of((uint32_t)p->in_h, tiles);
    if (mg_slides(p, p->out_h, p->out_w, p->in_h, 2 - p->pad_top)) {
        slid(p, &q, dy, w, dx, grid);
    } else {
        walk_backward(p, &q, dy, w, dx, p->in_c, grid);
    }
    mg_finish(q, exponent, range, dx_exponent, range_next);
}
