/* Element-wise steps of int16 gradients; codes change, exponents only where that is said. */
#include "float_bits.h"
#include "integer_gradient.h"
#include "tile.h"

void mg_clamp_s16_bwd_data(const mg_size_params *p, const mg_clamp_s8 *q, const int16_t *dy,
                           const int8_t *y, int16_t *dx) {
    const mg_clamp_s8 range = *q;
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        dx[i] = y[i] > range.low && y[i] < range.high ? dy[i] : 0;
    }
}

/* Each dx of a kept position is its dy: the factor 1 / count is in the scale. */
void mg_mean_s16_bwd_data(const mg_reduce_params *p, const int16_t *dy, int16_t *dx) {
    const mg_part part = mg_share(p->kept[1], 1);
    for (int32_t a = 0; a < p->kept[0]; ++a, dy += p->kept[1]) {
        for (int32_t b = part.first; b < part.end; ++b) {
            int16_t *const to = dx + a * p->kept_stride[0] + b * p->kept_stride[1];
            const int16_t code = dy[b];
            for (int32_t c = 0; c < p->summed[0]; ++c) {
                for (int32_t d = 0; d < p->summed[1]; ++d) {
                    to[c * p->summed_stride[0] + d * p->summed_stride[1]] = code;
                }
            }
        }
    }
}

/* Windows side by side: each input has at most one, whose share is in the scale. */
void mg_avg_pool2d_s16_bwd_data(const mg_pool2d_params *p, const int16_t *dy, int16_t *dx) {
    const mg_part part = mg_share(p->in_h, 1);
    dx += part.first * p->in_w * p->channels;
    for (int32_t y = part.first; y < part.end; ++y) {
        for (int32_t x = 0; x < p->in_w; ++x) {
            const int32_t oy = y / p->kernel_h, ox = x / p->kernel_w;
            const int inside = oy < p->out_h && ox < p->out_w;
            for (int32_t c = 0; c < p->channels; ++c) {
                *dx++ = inside ? dy[(oy * p->out_w + ox) * p->channels + c] : 0;
            }
        }
    }
}

/* x * 2^left, rounded where that is not whole. */
static int32_t moved(int32_t x, int32_t left) {
    return left >= 0 ? x * (1 << left) : mg_rounded_shift(x, mg_min(-left, 31));
}

/* Both to the exponent at which the sum of their largest codes just fits. */
void mg_sum_gradients_s16_fwd(const mg_size_params *p, const mg_sum_s16 *q, const int16_t *a,
                              const int32_t *a_exponent, const int16_t *b,
                              const int32_t *b_exponent, int16_t *y, int32_t *y_exponent) {
    const int32_t of_a = a_exponent[MG_EXPONENT], of_b = b_exponent[MG_EXPONENT] + q->exponent;
    const int32_t top = mg_max(a_exponent[MG_BITS] == 0 ? INT16_MIN : of_a + a_exponent[MG_BITS],
                               b_exponent[MG_BITS] == 0 ? INT16_MIN : of_b + b_exponent[MG_BITS]);
    const int32_t exponent = top == INT16_MIN ? of_a : top - MG_CODE_BITS;
    const int32_t left_a = mg_min(of_a - exponent, 15), left_b = mg_min(of_b - exponent, 15);
    const mg_part part = mg_share(p->size, 4);
    uint32_t seen = 0;
    MG_ROLLED
    for (int32_t i = part.first; i < part.end; ++i) {
        const int32_t scaled = mg_rounded_shift(b[i] * q->multiplier, 15);
        const int32_t sum = moved(a[i], left_a) + moved(scaled, left_b);
        seen |= (uint32_t)(sum ^ (sum >> 31));
        y[i] = mg_code(sum);
    }
    seen = mg_joined_bits(seen);
    if (mg_core() == 0) {
        y_exponent[MG_EXPONENT] = exponent;
        y_exponent[MG_BITS] = mg_min(mg_bits(seen), 15);
    }
}

void mg_dequantize_gradient_s16_fwd(const mg_size_params *p, const mg_scale *q, const int16_t *x,
                                    const int32_t *exponent, float *y) {
    const float scale = q->scale * mg_power_of_two(exponent[MG_EXPONENT]);
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = (float)x[i] * scale;
    }
}

void mg_quantize_gradient_f32_fwd(const mg_size_params *p, const float *x, int16_t *y,
                                  int32_t *exponent) {
    float largest = 0.0f;
    MG_SCALAR
    for (int32_t i = 0; i < p->size; ++i) {
        const float size = __builtin_fabsf(x[i]);
        largest = size > largest && size < MG_INFINITY ? size : largest;
    }
    const int32_t found = mg_max(mg_exponent_of(largest) - MG_CODE_BITS + 1, -126);
    const float factor = mg_power_of_two(-found);
    MG_SCALAR
    for (int32_t i = 0; i < p->size; ++i) {
        const float code = x[i] * factor;
        /* What is not finite is lost: the loss says so. */
        y[i] = code > -32768.0f && code < 32768.0f
                   ? mg_code((int32_t)(code + (code < 0 ? -0.5f : 0.5f)))
                   : 0;
    }
    exponent[MG_EXPONENT] = found;
    exponent[MG_BITS] = largest > 0.0f ? MG_CODE_BITS + 1 : 0;
}
