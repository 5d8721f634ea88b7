/* Convolution in half precision. */
#include "correlate.h"

/* Rows of weights are words as they are, or are laid out so. */
static int32_t laid_out(const mg_conv2d_params *p) {
    const int32_t n = mg_products(p);
    return n % 2 == 0 ? 0 : p->out_c * mg_even(n);
}

size_t mg_conv2d_f16_fwd_xfvec_scratch_size(const mg_conv2d_params *p) {
    return (mg_windows_size(p) + (size_t)laid_out(p)) * sizeof(mg_f16);
}

void mg_conv2d_f16_fwd_xfvec(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                             const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y) {
    const int32_t n = mg_products(p), row = mg_even(n);
    mg_f16 *const rows = (mg_f16 *)scratch + mg_windows_size(p);
    const mg_spread to = {y, p->out_w * p->out_c, p->out_c};
    for (int32_t c = 0; c < laid_out(p) / row; ++c) {
        mg_copy_halves(n, w + c * n, rows + c * row);
        mg_clear_halves(row - n, rows + c * row + n);
    }
    mg_correlate(p, q, scratch, x, row == n ? w : rows, b, &to);
}
