/* The weights' gradient of integer gradients: sums of products over positions. */
#ifndef MG_WEIGHT_S16_H
#define MG_WEIGHT_S16_H

#include "integer_gradient.h"
#include "span.h"
#include "tile.h"

/* Positions whose products, of at most 255 * 32767, an int32 sum surely holds. */
#define MG_SAFE_POSITIONS 256

/* The positions whose window has one tap inside the image. */
typedef struct {
    int32_t rows, columns;
    int32_t dy_column, dy_row, x_column, x_row; /* from a position to the next, in elements */
} mg_positions;

static inline mg_positions mg_positions_of(const mg_conv2d_params *p, const mg_span *rows,
                                           const mg_span *columns) {
    return (mg_positions){
        rows->count,         columns->count,        p->out_c,
        p->out_w * p->out_c, p->stride_w * p->in_c, p->stride_h * p->in_w * p->in_c};
}

/* The same for one tap of a convolution, and where they begin in x and dy. */
typedef struct {
    mg_positions at;
    int32_t x, dy;
} mg_tap_positions;

static inline mg_tap_positions mg_positions_of_tap(const mg_conv2d_params *p, int32_t tap) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const mg_span rows = mg_tap_span(&down, tap / p->kernel_w);
    const mg_span columns = mg_tap_span(&across, tap % p->kernel_w);
    const int inside = rows.count > 0 && columns.count > 0;
    return (mg_tap_positions){
        .at = mg_positions_of(p, &rows, &columns),
        .x = inside ? (rows.source * p->in_w + columns.source) * p->in_c : 0,
        .dy = inside ? (rows.first * p->out_w + columns.first) * p->out_c : 0,
    };
}

/* A sum of many positions, 2^shift of it a step. */
static inline int32_t mg_weight_sum(int64_t sum, int32_t shift) {
    return (int32_t)(shift == 0 ? sum : ((sum >> (shift - 1)) + 1) >> 1);
}

#endif
