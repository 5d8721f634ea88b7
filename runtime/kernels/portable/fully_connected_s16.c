/* Fully connected int8 layer: results left as int32 sums, its gradient in int16, and
 * the update of its weights. */
#include "integer_gradient.h"
#include "step_s16.h"
#include "weight_s16.h"

#define TILE 16 /* weights that are updated together */

void mg_fully_connected_s8_sums_fwd(const mg_fully_connected_params *p, const mg_zero_point *q,
                                    const int8_t *x, const int8_t *w, const int32_t *b,
                                    int32_t *y) {
    const mg_part part = mg_share(p->out, 1);
    for (int32_t row = 0; row < p->rows; ++row, x += p->in, y += p->out) {
        for (int32_t o = part.first; o < part.end; ++o) {
            const int8_t *const weights = w + o * p->in;
            int32_t sum = b != NULL ? b[o] : 0;
            for (int32_t i = 0; i < p->in; ++i) {
                sum += (x[i] - q->zero_point) * weights[i];
            }
            y[o] = sum;
        }
    }
}

void mg_fully_connected_s16_bwd_data(const mg_fully_connected_params *p, const int16_t *dy,
                                     const int8_t *w, const int32_t *exponent, const int32_t *range,
                                     int16_t *dx, int32_t *dx_exponent, int32_t *range_next) {
    uint32_t seen = 0;
    const mg_narrowing q = mg_narrowing_of(exponent, range, &seen);
    const mg_part part = mg_share(p->in, 1);
    for (int32_t row = 0; row < p->rows; ++row, dy += p->out, dx += p->in) {
        for (int32_t i = part.first; i < part.end; ++i) {
            int32_t sum = 0;
            for (int32_t o = 0; o < p->out; ++o) {
                sum += dy[o] * w[o * p->in + i];
            }
            dx[i] = mg_narrowed(q, sum);
        }
    }
    mg_finish(q, exponent, range, dx_exponent, range_next);
}

static void update(const mg_fully_connected_params *p, const mg_weight_s16 *q, mg_step_s16 *step,
                   const int8_t *x, const int16_t *dy, const int8_t *w, int8_t *w_next) {
    const mg_part part = mg_share(p->in, TILE);
    for (int32_t o = 0; o < p->out; ++o) {
        for (int32_t i = part.first; i < part.end; i += TILE) {
            const int32_t width = mg_min(part.end - i, TILE);
            int32_t dw[TILE];
            for (int32_t j = 0; j < width; ++j) {
                int64_t sum = 0;
                for (int32_t row = 0; row < p->rows; ++row) {
                    sum += (x[row * p->in + i + j] - q->zero_point) * dy[row * p->out + o];
                }
                dw[j] = mg_weight_sum(sum, q->shift);
            }
            mg_step_weights_s16(step, o * p->in + i, width, dw, w, w_next);
        }
    }
}

void mg_fully_connected_s16_weight_step(const mg_fully_connected_params *p, const mg_weight_step *q,
                                        const int8_t *x, const int16_t *dy, const int8_t *w,
                                        const int32_t *exponent, const int32_t *updates,
                                        const float *hyper, int8_t *w_next) {
    mg_step_s16 step = mg_step_s16_of(&q->sgd, exponent, updates, hyper);
    update(p, &q->weight, &step, x, dy, w, w_next);
}

void mg_fully_connected_s16_weight_step_kept(const mg_fully_connected_params *p,
                                             const mg_weight_step *q, const int8_t *x,
                                             const int16_t *dy, const int8_t *w,
                                             const int32_t *exponent, const int32_t *updates,
                                             const float *hyper, const int8_t *kept, int8_t *w_next,
                                             int8_t *kept_next) {
    mg_step_s16 step = mg_step_s16_of(&q->sgd, exponent, updates, hyper);
    step.kept = kept;
    step.kept_next = kept_next;
    update(p, &q->weight, &step, x, dy, w, w_next);
}
