/* The body of the gradient of a float convolution's input. */
#include "layer_real.h"

#include "combine.h"
#include "conv2d_backward_window.h"
#include "turn.h"

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

MG_APART void differentiate(const mg_conv2d_params *p, const REAL *dy, const REAL *w, REAL *dx,
                            int32_t dx_pixel) {
    walk_backward(p, NULL, dy, w, dx, dx_pixel, (mg_grid){0});
}

void KERNEL(conv2d, bwd_data_rvv)(const mg_conv2d_params *p, const REAL *dy, const REAL *w,
                                  REAL *dx) {
    differentiate(p, dy, w, dx, p->in_c);
}

#define LAID_OUT 8192 /* bytes of weights, unless those of a vector's channels are more */
#define LANES    32   /* of such a vector */

/* Input channels of each group whose weights are laid out at a time: all, or whole vectors. */
static inline int32_t part_of(const mg_conv2d_params *p) {
    const int32_t depth = p->in_c / p->groups;
    const int32_t channel = p->kernel_h * p->kernel_w * p->out_c * (int32_t)sizeof(REAL);
    const int32_t fit = LAID_OUT / channel;
    return fit >= depth ? depth : mg_min(mg_max(fit / LANES, 1) * LANES, depth);
}

size_t KERNEL(conv2d, bwd_data_rvv_packed_scratch_size)(const mg_conv2d_params *p) {
    return (size_t)(part_of(p) * p->kernel_h * p->kernel_w * p->out_c) * sizeof(REAL);
}

/* Some channels of a group: to [outputs][taps][count] of w [taps][depth][outputs] */
static void lay_out(int32_t count, int32_t depth, int32_t taps, int32_t outputs, const REAL *w,
                    REAL *to) {
    for (int32_t tap = 0; tap < taps; ++tap) {
        turn(count, outputs, w + tap * depth * outputs, outputs, to + tap * count, taps * count);
    }
}

/* w as the forward pass reads it: [groups][taps][input channels][output channels of a group] */
void KERNEL(conv2d, bwd_data_rvv_packed)(void *scratch, const mg_conv2d_params *p, const REAL *dy,
                                         const REAL *w, REAL *dx) {
    const int32_t depth = p->in_c / p->groups, outputs = p->out_c / p->groups;
    const int32_t taps = p->kernel_h * p->kernel_w, most = part_of(p);
    REAL *const laid = scratch;
    for (int32_t first = 0; first < depth; first += most) {
        const int32_t count = mg_min(depth - first, most);
        mg_conv2d_params some = *p;
        some.in_c = count * p->groups;
        for (int32_t g = 0; g < p->groups; ++g) {
            lay_out(count, depth, taps, outputs, w + (g * taps * depth + first) * outputs,
                    laid + g * outputs * taps * count);
        }
        differentiate(&some, dy, laid, dx + first, p->in_c);
    }
}
