/* The body of convolution, forward. Weights that are not packed so are turned first, so that those
 * of neighbouring channels are neighbours.
 *
 * Before it is included, REAL and its vectors are there, as by rvv_f16.h, and what a layer makes of
 * operands, as by layer_real.h. */
#include "combine.h"
#include "conv2d_window.h"
#include "turn.h"

#define ELEMENT     REAL
#define WEIGHT      REAL
#define TILE_PIXELS PIXELS
#define TILE_LEAST  2

static inline int32_t products_of(const mg_conv2d_params *p) {
    return p->kernel_h * p->kernel_w * (p->in_c / p->groups);
}

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    mg_window v = mg_conv2d_window(p, rows, columns, 1, p->out_c / p->groups);
    v.w_run += v.run * v.w_step; /* from the start of a run */
    v.w_row += v.run * v.w_step;
    return v;
}

MG_INLINE void tile(int pixels, int32_t channels, const mg_window *v, const QUANT *q,
                    const REAL *const *x, const REAL *w, const BIAS *b, int32_t channel,
                    REAL *const *y) {
    combine(pixels, channels, v, q, x, w, b, channel, y);
}

#include "walk.h"

/* w [groups][products][channels of a group] */
MG_APART void convolve(const mg_conv2d_params *p, const QUANT *q, const REAL *x, const REAL *w,
                       const BIAS *b, REAL *y) {
    walk_forward(p, q, x, w, b, y, p->out_c, (mg_grid){0});
}

size_t KERNEL(conv2d, fwd_rvv_scratch_size)(const mg_conv2d_params *p) {
    return (size_t)(p->out_c * products_of(p)) * sizeof(REAL);
}

void KERNEL(conv2d, fwd_rvv)(void *scratch, const mg_conv2d_params *p, const QUANT *q,
                             const REAL *x, const REAL *w, const BIAS *b, REAL *y) {
    REAL *const turned = scratch;
    const int32_t products = products_of(p), channels = p->out_c / p->groups;
    for (int32_t channel = 0; channel < p->out_c; channel += channels) {
        turn(channels, products, w + channel * products, products, turned + channel * products,
             channels);
    }
    convolve(p, q, x, turned, b, y);
}

void KERNEL(conv2d, fwd_rvv_packed)(const mg_conv2d_params *p, const QUANT *q, const REAL *x,
                                    const REAL *w, const BIAS *b, REAL *y) {
    convolve(p, q, x, w, b, y);
}
