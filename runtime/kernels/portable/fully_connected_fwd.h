/* Fully connected layer, float, forward, of the type of real_f32.h or real_f16.h, which stands
 * before it. */
#include "mg_cores.h"
#include "mg_kernels.h"

#include "tile_f32.h"

#define WIDE   8 /* outputs at a time */
#define NARROW 2 /* of those that are left */

/* A few outputs of one row, from `channel` on. */
MG_INLINE void tile(int width, const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                    const REAL *x, const REAL *w, const REAL *b, int32_t channel, REAL *y) {
    const REAL *from[WIDE];
    mg_sums_f32 sums;
    MG_UNROLLED
    for (int j = 0; j < width; ++j) {
        from[j] = w + (channel + j) * p->in;
    }
    mg_start_f32(1, width, b, channel, sums);
    mg_dot_f32(1, width, p->in, &x, from, sums);
    mg_store_f32(1, width, sums, q, channel, &y);
}

void KERNEL(fully_connected, fwd)(const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                                  const REAL *x, const REAL *w, const REAL *b, REAL *y) {
    const mg_clamp_f32 *const limits = mg_limits_f32(*q) ? q : NULL;
    const mg_part part = mg_share(p->out, NARROW);
    for (int32_t row = 0; row < p->rows; ++row) {
        int32_t channel = part.first;
        for (; channel + WIDE <= part.end; channel += WIDE) {
            tile(WIDE, p, limits, x, w, b, channel, y);
        }
        for (; channel + NARROW <= part.end; channel += NARROW) {
            tile(NARROW, p, limits, x, w, b, channel, y);
        }
        if (channel < part.end) {
            tile(1, p, limits, x, w, b, channel, y);
        }
        x += p->in;
        y += p->out;
    }
}
