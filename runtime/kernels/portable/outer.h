/* Products at a position of a gradient's channels with those of a layer's input, which is that of
 * input_real.h or input_s8.h, as stands before it. */
#include "tile_f32.h"

/* Of one position, from which a and b move on. */
MG_INLINE void outer_step(int rows, int columns, const REAL **a, int32_t a_step, const INPUT **b,
                          int32_t b_step, const QUANT *q, mg_sums_f32 sums) {
    float left[MG_TILE], right[MG_TILE];
    mg_load_f32(rows, 0, *a, left);
    load_inputs(columns, 2, q, *b, right);
    *a += a_step;
    *b += b_step;
    MG_COMPLETE(*a); /* or each step would have pointers of its own */
    MG_COMPLETE(*b);
    MG_UNROLLED
    for (int j = 0; j < columns; ++j) {
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            sums[i][j] += left[i] * right[j];
        }
    }
    MG_KEEP_ORDER();
}
