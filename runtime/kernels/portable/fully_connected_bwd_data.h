/* The body of the gradient of a fully connected layer's input; its weights are those of
 * weight_real.h or weight_s8.h, which stands before it. */
#include "combine.h"
#include "mg_cores.h"

/* `width` inputs of one row. */
MG_INLINE void tile(int width, const mg_fully_connected_params *p, const QUANT *q, const REAL *dy,
                    const WEIGHT *w, REAL *dx) {
    mg_sums_f32 sums;
    mg_clear_f32(1, width, sums);
    combine(1, width, p->out, &dy, w, p->in, q, 0, sums);
    mg_store_f32(1, width, sums, NULL, 0, &dx);
}

static inline void input_gradient(const mg_fully_connected_params *p, const QUANT *q,
                                  const REAL *dy, const WEIGHT *w, REAL *dx, mg_part part) {
    for (int32_t row = 0; row < p->rows; ++row) {
        int32_t i = part.first;
        for (; i + MG_WIDE <= part.end; i += MG_WIDE) {
            tile(MG_WIDE, p, q, dy, w + i, dx + i);
        }
        for (; i < part.end; ++i) {
            tile(1, p, q, dy, w + i, dx + i);
        }
        dy += p->out;
        dx += p->in;
    }
}
