/* The gradient of an int8 depthwise convolution's weights from int16 gradients, and their update.
 */
#include "mg_cores.h"
#include "step_s16.h"
#include "weight_s16.h"

void mg_depthwise_conv2d_s16_weight_step(const mg_conv2d_params *p, const mg_weight_step *q,
                                         const int8_t *x, const int16_t *dy, const int8_t *w,
                                         const int32_t *exponent, const int32_t *updates,
                                         const float *hyper, int8_t *w_next) {
    mg_step_s16 step = mg_step_s16_of(&q->sgd, exponent, updates, hyper);
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const int32_t multiplier = p->out_c / p->in_c, taps = p->kernel_h * p->kernel_w;
    const mg_part part = mg_share(p->out_c, 1);
    for (int32_t c = part.first; c < part.end; ++c) {
        for (int32_t tap = 0; tap < taps; ++tap) {
            const mg_span rows = mg_tap_span(&down, tap / p->kernel_w);
            const mg_span columns = mg_tap_span(&across, tap % p->kernel_w);
            const mg_positions at = mg_positions_of(p, &rows, &columns);
            int64_t total = 0;
            for (int32_t row = 0; row < at.rows; ++row) {
                const int32_t in_row = (rows.source + row * p->stride_h) * p->in_w;
                const int32_t out_row = (rows.first + row) * p->out_w;
                const int8_t *from = x + (in_row + columns.source) * p->in_c + c / multiplier;
                const int16_t *by = dy + (out_row + columns.first) * p->out_c + c;
                for (int32_t left = at.columns; left > 0; left -= MG_SAFE_POSITIONS) {
                    int32_t sum = 0;
                    for (int32_t n = mg_min(left, MG_SAFE_POSITIONS); n > 0; --n) {
                        sum += (*from - q->weight.zero_point) * *by;
                        from += at.x_column;
                        by += at.dy_column;
                    }
                    total += sum;
                }
            }
            const int32_t dw = mg_weight_sum(total, q->weight.shift);
            mg_step_weights_s16(&step, tap * p->out_c + c, 1, &dw, w, w_next);
        }
    }
}
