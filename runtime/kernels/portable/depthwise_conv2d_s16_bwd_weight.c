/* The gradient of an int8 depthwise convolution's weights, from int16 gradients. */
#include "weight_s16.h"

void mg_depthwise_conv2d_s16_bwd_weight(const mg_conv2d_params *p, const mg_weight_s16 *q,
                                        const int8_t *x, const int16_t *dy, int32_t *dw) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const int32_t multiplier = p->out_c / p->in_c;
    for (int32_t tap = 0; tap < p->kernel_h * p->kernel_w; ++tap) {
        const mg_span rows = mg_tap_span(&down, tap / p->kernel_w);
        const mg_span columns = mg_tap_span(&across, tap % p->kernel_w);
        const mg_positions at = mg_positions_of(p, &rows, &columns);
        for (int32_t c = 0; c < p->out_c; ++c) {
            int64_t total = 0;
            for (int32_t row = 0; row < at.rows; ++row) {
                const int32_t in_row = (rows.source + row * p->stride_h) * p->in_w;
                const int32_t out_row = (rows.first + row) * p->out_w;
                const int8_t *from = x + (in_row + columns.source) * p->in_c + c / multiplier;
                const int16_t *by = dy + (out_row + columns.first) * p->out_c + c;
                for (int32_t left = at.columns; left > 0; left -= MG_SAFE_POSITIONS) {
                    int32_t sum = 0;
                    for (int32_t n = mg_min(left, MG_SAFE_POSITIONS); n > 0; --n) {
                        sum += (*from - q->zero_point) * *by;
                        from += at.x_column;
                        by += at.dy_column;
                    }
                    total += sum;
                }
            }
            dw[tap * p->out_c + c] = mg_weight_sum(total, q->shift);
        }
    }
}
