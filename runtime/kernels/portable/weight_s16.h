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

/* A sum of many positions, 2^shift of it a step. */
static inline int32_t mg_weight_sum(int64_t sum, int32_t shift) {
    return (int32_t)(shift == 0 ? sum : ((sum >> (shift - 1)) + 1) >> 1);
}

#endif
