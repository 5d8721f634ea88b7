/* The gradient of an int8 convolution's weights from int16 gradients, and their update: each sum
 * is used up as soon as it is complete. */
#include "mg_cores.h"
#include "step_s16.h"
#include "weight_s16.h"

#define CHANNELS 2 /* of dy in a tile */
#define WIDTH    3 /* input channels in a tile */

MG_INLINE void add_row(int channels, int width, const mg_positions *at, int32_t columns,
                       int32_t zero_point, const int8_t *x, const int16_t *dy,
                       int32_t sums[CHANNELS][WIDTH]) {
    MG_ROLLED
    for (; columns > 0; --columns) {
        int32_t codes[CHANNELS];
        MG_UNROLLED
        for (int i = 0; i < channels; ++i) {
            codes[i] = dy[i];
        }
        MG_UNROLLED
        for (int j = 0; j < width; ++j) {
            const int32_t value = x[j] - zero_point;
            MG_UNROLLED
            for (int i = 0; i < channels; ++i) {
                sums[i][j] += value * codes[i];
                MG_COMPLETE(sums[i][j]);
            }
        }
        x += at->x_column;
        dy += at->dy_column;
    }
}

/* The weights of one tap, from output channel and input channel on. */
MG_INLINE void tile(int channels, int width, const mg_positions *at, const mg_weight_s16 *q,
                    const int8_t *x, const int16_t *dy, mg_stepped to) {
    int64_t total[CHANNELS][WIDTH] = {{0}};
    const int32_t rows = mg_max(MG_SAFE_POSITIONS / mg_max(at->columns, 1), 1);
    for (int32_t row = 0; row < at->rows; row += rows) {
        for (int32_t column = 0; column < at->columns; column += MG_SAFE_POSITIONS) {
            int32_t sums[CHANNELS][WIDTH] = {{0}};
            const int32_t columns = mg_min(at->columns - column, MG_SAFE_POSITIONS);
            const int32_t end = mg_min(row + rows, at->rows);
            for (int32_t r = row; r < end; ++r) {
                add_row(channels, width, at, columns, q->zero_point,
                        x + r * at->x_row + column * at->x_column,
                        dy + r * at->dy_row + column * at->dy_column, sums);
            }
            MG_UNROLLED
            for (int i = 0; i < channels; ++i) {
                MG_UNROLLED
                for (int j = 0; j < width; ++j) {
                    total[i][j] += sums[i][j];
                }
            }
        }
    }
    MG_UNROLLED
    for (int i = 0; i < channels; ++i) {
        int32_t dw[WIDTH];
        MG_UNROLLED
        for (int j = 0; j < width; ++j) {
            dw[j] = mg_weight_sum(total[i][j], q->shift);
        }
        mg_step_weights_s16(to.step, to.first, width, dw, to.w, to.w_next);
        to.first += to.channel;
    }
}

MG_INLINE void all_inputs(int channels, int32_t depth, const mg_positions *at,
                          const mg_weight_s16 *q, const int8_t *x, const int16_t *dy,
                          mg_stepped to) {
    const int8_t *const end = x + depth;
    for (; end - x >= WIDTH; x += WIDTH, to.first += WIDTH) {
        tile(channels, WIDTH, at, q, x, dy, to);
    }
    for (; x != end; ++x, ++to.first) {
        tile(channels, 1, at, q, x, dy, to);
    }
}

void mg_conv2d_s16_weight_step(const mg_conv2d_params *p, const mg_weight_step *q, const int8_t *x,
                               const int16_t *dy, const int8_t *w, const int32_t *exponent,
                               const int32_t *updates, const float *hyper, int8_t *w_next) {
    mg_step_s16 step = mg_step_s16_of(&q->sgd, exponent, updates, hyper);
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const int32_t taps = p->kernel_h * p->kernel_w;
    const mg_part part = mg_share(p->out_c, CHANNELS);
    for (int32_t tap = 0; tap < taps; ++tap) {
        const mg_tap_positions v = mg_positions_of_tap(p, tap);
        for (int32_t oc = part.first; oc < part.end;) {
            const int32_t group = oc / channels;
            const int8_t *const from = x + v.x + group * depth;
            const mg_stepped to = {&step, w, w_next, (oc * taps + tap) * depth, taps * depth};
            if (mg_min((group + 1) * channels, part.end) - oc >= CHANNELS) {
                all_inputs(CHANNELS, depth, &v.at, &q->weight, from, dy + v.dy + oc, to);
                oc += CHANNELS;
            } else {
                all_inputs(1, depth, &v.at, &q->weight, from, dy + v.dy + oc, to);
                oc++;
            }
        }
    }
}
