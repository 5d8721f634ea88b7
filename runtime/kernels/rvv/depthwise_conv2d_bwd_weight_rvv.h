/* The body of the gradient of a float depthwise convolution's weights, where a channel has one of
 * the output; lanes are channels. */
#include "layer_real.h"
#include "span.h"

/* The weights of one tap. */
static void tap_gradient(const mg_conv2d_params *p, const mg_span *rows, const mg_span *columns,
                         const REAL *x, const REAL *dy, const REAL *gathered, REAL *dw) {
    const int32_t x_step = p->stride_w * p->in_c, dy_step = p->out_c;
    x += (rows->source * p->in_w + columns->source) * p->in_c;
    dy += (rows->first * p->out_w + columns->first) * p->out_c;
    size_t n;
    for (int32_t channel = 0; channel < p->in_c; channel += (int32_t)n) {
        n = mg_lanes(p->in_c - channel);
        mg_sums sums = start(gathered, channel, n);
        for (int32_t row = 0; row < rows->count; ++row) {
            const REAL *from = x + row * p->stride_h * p->in_w * p->in_c + channel;
            const REAL *by = dy + row * p->out_w * p->out_c + channel;
            const REAL *const end = by + columns->count * dy_step;
            if (columns->count % 2 != 0) {
                sums = mg_add_products(sums, mg_load(from, n), mg_load(by, n), n);
                from += x_step;
                by += dy_step;
            }
            MG_ROLLED
            while (by != end) {
                MG_UNROLLED
                for (int i = 0; i < 2; ++i) {
                    sums = mg_add_products(sums, mg_load(from, n), mg_load(by, n), n);
                    from += x_step;
                    by += dy_step;
                }
            }
        }
        finish(sums, NULL, channel, dw, n);
    }
}

void KERNEL(depthwise_conv2d, bwd_weight_rvv)(const mg_conv2d_params *p, const REAL *x,
                                              const REAL *dy, const REAL *gathered, REAL *dw) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    for (int32_t tap = 0; tap < p->kernel_h * p->kernel_w; ++tap) {
        mg_span rows = mg_tap_span(&down, tap / p->kernel_w);
        mg_span columns = mg_tap_span(&across, tap % p->kernel_w);
        if (rows.count == 0 || columns.count == 0) {
            rows = columns = (mg_span){0, 0, 0, 0, 0};
        }
        const int32_t first = tap * p->in_c;
        tap_gradient(p, &rows, &columns, x, dy, gathered != NULL ? gathered + first : NULL,
                     dw + first);
    }
}
