/* The body of the gradient of a float convolution's input. */
#include "layer_real.h"

#include "combine.h"
#include "conv2d_backward_window.h"

#define ELEMENT     REAL
#define WEIGHT      REAL
#define TILE_PIXELS PIXELS
#define TILE_LEAST  2

MG_INLINE void tile(int pixels, int32_t channels, const mg_window *v, const mg_clamp_f32 *q,
                    const REAL *const *dy, const REAL *w, const REAL *b, int32_t channel,
                    REAL *const *dx) {
    combine(pixels, channels, v, q, dy, w, b, channel, dx);
}

#include "walk.h"

void KERNEL(conv2d, bwd_data_rvv)(const mg_conv2d_params *p, const REAL *dy, const REAL *w,
                                  REAL *dx) {
    walk_backward(p, NULL, dy, w, dx, p->in_c, (mg_grid){0});
}
