/* The body of convolution kernels: walks the results in register tiles.
 *
 * Before it is included, ELEMENT, WEIGHT, BIAS and QUANT name types, TILE_PIXELS and TILE_CHANNELS
 * are the size of a register tile (without TILE_CHANNELS a tile has all channels of a group),
 * TILE_LEAST is how many pixels take longer one by one than in a tile, and these are defined:
 *
 *     window of the taps that a rectangle of results has, in elements:
 *         static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
 *                                           const mg_span *columns);
 *     a tile of results, from the first source element of each pixel:
 *         MG_INLINE void tile(int pixels, int channels, const mg_window *v, const QUANT *q,
 *                             const ELEMENT *const *source, const WEIGHT *w, const BIAS *b,
 *                             int32_t channel, ELEMENT *const *result);
 *
 * Forward, the source is x and the result y. Backward, the source is dy and the result dx. The grid
 * shares out the rows of the result and the channels of each group.
 */
#include "mg_cores.h"
#include "span.h"
#include "tile.h"

#ifdef TILE_CHANNELS
#define SHARED_CHANNELS TILE_CHANNELS /* of which a core's share is a multiple */
#else
#define SHARED_CHANNELS 1
#endif

/* The operands of one group, and how many elements a pixel and a group of either side have. */
typedef struct {
    const QUANT *q;
    const ELEMENT *source;
    const WEIGHT *w;
    const BIAS *b;
    ELEMENT *result;
    int32_t source_pixel, result_pixel, channel, channels;
} walk;

/* All channels for a few pixels. */
MG_INLINE void walk_channels(int pixels, const walk *k, const mg_window *v,
                             const ELEMENT *const *source, ELEMENT *const *result) {
#ifdef TILE_CHANNELS
    const int32_t end = k->channel + k->channels;
    const WEIGHT *w = k->w;
    for (int32_t channel = k->channel; channel < end;) {
        const int fits = end - channel >= TILE_CHANNELS && v->multiplier <= 1;
        const int32_t wide = fits ? TILE_CHANNELS : 1;
        if (wide == TILE_CHANNELS) {
            tile(pixels, TILE_CHANNELS, v, k->q, source, w, k->b, channel, result);
        } else {
            tile(pixels, 1, v, k->q, source, w, k->b, channel, result);
        }
        channel += wide;
        w += wide * v->w_channel;
    }
#else
    tile(pixels, k->channels, v, k->q, source, k->w, k->b, k->channel, result);
#endif
}

/* The pixels of a rectangle that all have the same window. */
static void walk_pixels(const walk *k, const mg_window *v, mg_cursor at) {
    while (at.left > 0) {
        const int32_t pixels = at.left >= TILE_LEAST ? TILE_PIXELS : 1;
        const ELEMENT *source[TILE_PIXELS];
        ELEMENT *result[TILE_PIXELS];
        for (int32_t i = 0; i < pixels; ++i) {
            source[i] = k->source + at.source * k->source_pixel;
            result[i] = k->result + at.result * k->result_pixel;
            /* The last tile may repeat a pixel. */
            if (TILE_LEAST == TILE_PIXELS || at.left > 1 || i == pixels - 1) {
                mg_advance(&at);
            }
        }
        if (pixels == TILE_PIXELS) {
            walk_channels(TILE_PIXELS, k, v, source, result);
        } else {
            walk_channels(1, k, v, source, result);
        }
    }
}

static inline void walk_groups(walk k, const mg_window *v, mg_cursor at, int32_t groups,
                               mg_grid grid) {
    const int32_t channels = k.channels / groups;
    const mg_part part = mg_share_columns(grid, channels, SHARED_CHANNELS);
    k.w += v->w_first + part.first * v->w_channel;
    k.channel = part.first;
    k.channels = part.end - part.first;
    for (int32_t g = 0; g < groups; ++g) {
        walk_pixels(&k, v, at);
        k.source += v->source_group;
        k.result += k.result_pixel / groups - channels; /* of a part of each group's channels */
        k.w += v->w_group;
        k.channel += channels;
    }
}

/* y_pixel: the elements of its pixels, of which p->out_c may be but a part in each group. */
static inline void walk_forward(const mg_conv2d_params *p, const QUANT *q, const ELEMENT *x,
                                const WEIGHT *w, const BIAS *b, ELEMENT *y, int32_t y_pixel,
                                mg_grid grid) {
    const mg_part part = mg_share_rows(grid, p->out_h, 1);
    const mg_axis across = mg_columns(p);
    mg_axis down = mg_rows(p);
    down.out = part.end;
    const walk k = {q, x, w, b, y, p->in_c, y_pixel, 0, p->out_c};
    mg_span rows, columns;
    for (int32_t oy = part.first; oy < part.end; oy += rows.count) {
        rows = mg_forward_span(&down, oy);
        for (int32_t ox = 0; ox < p->out_w; ox += columns.count) {
            columns = mg_forward_span(&across, ox);
            const mg_window v = window_of(p, &rows, &columns);
            walk_groups(k, &v, mg_forward_cursor(p, &rows, &columns), v.groups, grid);
        }
    }
}

/* The columns of one band of rows, class after class. */
static inline void walk_backward_band(const mg_conv2d_params *p, const walk *k, const mg_span *rows,
                                      mg_grid grid) {
    const mg_axis across = mg_columns(p);
    mg_span columns;
    for (int32_t first = 0; first < mg_min(p->stride_w, p->in_w); ++first) {
        for (int32_t x = first; x < p->in_w; x += columns.count * p->stride_w) {
            columns = mg_backward_span(&across, x);
            const mg_window v = window_of(p, rows, &columns);
            walk_groups(*k, &v, mg_backward_cursor(p, rows, &columns), v.groups, grid);
        }
    }
}

/* dx_pixel: the elements of its pixels, of which p->in_c may be but a part in each group. */
static inline void walk_backward(const mg_conv2d_params *p, const QUANT *q, const ELEMENT *dy,
                                 const WEIGHT *w, ELEMENT *dx, int32_t dx_pixel, mg_grid grid) {
    const mg_part part = mg_share_rows(grid, p->in_h, 1);
    mg_axis down = mg_rows(p);
    down.in = part.end;
    const walk k = {q, dy, w, NULL, dx, p->out_c, dx_pixel, 0, p->in_c};
    mg_span rows;
    for (int32_t first = part.first; first < mg_min(part.first + p->stride_h, part.end); ++first) {
        for (int32_t y = first; y < part.end; y += rows.count * p->stride_h) {
            rows = mg_backward_span(&down, y);
            walk_backward_band(p, &k, &rows, grid);
        }
    }
}
