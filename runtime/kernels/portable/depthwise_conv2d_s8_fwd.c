/* Depthwise convolution, int8, forward. */
#include "depthwise_conv2d_window.h"
#include "tile_s8.h"

#define ELEMENT       int8_t
#define WEIGHT        int8_t
#define BIAS          int32_t
#define QUANT         mg_requant_s8
#define SUM           int32_t
#define FINISH        mg_channel_s8
#define LANES         1
#define TILE_PIXELS   MG_TILE_ROWS_S8
#define TILE_CHANNELS MG_TILE_COLUMNS_S8

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    return mg_depthwise_forward_window(p, rows, columns);
}

MG_INLINE void tile(int pixels, int channels, const mg_window *v, const mg_requant_s8 *q,
                    const int8_t *const *x, const int8_t *w, const int32_t *b, int32_t channel,
                    int8_t *const *y) {
    mg_sums_s8 sums;
    const int8_t *from[TILE_PIXELS];
    mg_start_s8(pixels, channels, b, channel, sums);
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        from[i] = x[i] + channel / v->multiplier;
    }
    mg_depthwise_s8(pixels, channels, v, from, q->input_zero_point, w, sums);
    mg_store_s8(pixels, channels, sums, q, channel, y);
}

static inline int32_t zero_point_of(const mg_requant_s8 *q) {
    return q->input_zero_point;
}

static inline mg_channel_s8 finish_of(const mg_requant_s8 *q, int32_t channel) {
    return mg_channel_of_s8(q, channel);
}

static inline void finish(mg_channel_s8 channel, int32_t sum, int8_t *y) {
    *y = mg_requantized_s8(channel, sum);
}

#include "slide.h"
#include "walk.h"

void mg_depthwise_conv2d_s8_fwd(const mg_conv2d_params *p, const mg_requant_s8 *q, const int8_t *x,
                                const int8_t *w, const int32_t *b, int8_t *y) {
    if (mg_slides(p, p->in_h, p->in_w, p->out_h, p->pad_top)) {
        const slide g = slide_forward(p);
        slide_all(&g, q, x, w, b, y);
    } else {
        walk_forward(p, q, x, w, b, y);
    }
}
