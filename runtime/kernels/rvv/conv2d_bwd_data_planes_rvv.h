/* The body of the gradient of a float convolution's input of few channels, at unit stride: a
 * correlation of dy with the taps in reverse order. */
#include "phase.h"
#include "planes.h"

static inline mg_conv2d_params reversed(const mg_conv2d_params *p) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const mg_phase rows = mg_phase_of(&down, 0), columns = mg_phase_of(&across, 0);
    return mg_phases(p, &rows, &columns);
}

/* w: from the weight of an input channel to the next one's, from tap to tap, and from output
 * channel to output channel. */
MG_APART void differentiate(REAL *planes, const mg_conv2d_params *p, const REAL *dy, const REAL *w,
                            int32_t w_input, int32_t w_tap, int32_t w_output, REAL *dx) {
    const mg_conv2d_params back = reversed(p);
    REAL *const packed = planes + planes_size(&back);
    const int32_t taps = p->kernel_h * p->kernel_w;
    for (int32_t c = 0; c < p->in_c; ++c) {
        const int32_t first = c / RESULTS * RESULTS * products_of(&back) + c % RESULTS;
        copy(taps, p->out_c, w + (taps - 1) * w_tap + c * w_input, -w_tap, w_output, packed + first,
             p->out_c * RESULTS, RESULTS);
    }
    correlate(&back, NULL, planes, dy, packed, NULL, dx);
}

size_t KERNEL(conv2d, bwd_data_rvv_planes_scratch_size)(const mg_conv2d_params *p) {
    const mg_conv2d_params back = reversed(p);
    return (size_t)(planes_size(&back) + packed_size(&back)) * sizeof(REAL);
}

void KERNEL(conv2d, bwd_data_rvv_planes)(void *scratch, const mg_conv2d_params *p, const REAL *dy,
                                         const REAL *w, REAL *dx) {
    differentiate(scratch, p, dy, w, 1, p->in_c, p->kernel_h * p->kernel_w * p->in_c, dx);
}

size_t KERNEL(conv2d, bwd_data_rvv_planes_packed_scratch_size)(const mg_conv2d_params *p) {
    return KERNEL(conv2d, bwd_data_rvv_planes_scratch_size)(p);
}

/* w as the forward pass reads it: [taps][in_c][out_c] */
void KERNEL(conv2d, bwd_data_rvv_planes_packed)(void *scratch, const mg_conv2d_params *p,
                                                const REAL *dy, const REAL *w, REAL *dx) {
    differentiate(scratch, p, dy, w, p->out_c, p->in_c * p->out_c, 1, dx);
}
