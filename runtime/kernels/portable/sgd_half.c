/* The update of weights in half precision, whose rounding keeps small steps in the mean. */
#include "draw.h"
#include "float_bits.h"
#include "mg_kernels_f16.h"

/* The golden model rounds each operation, so none may be fused with the next. GCC keeps to that
 * under -std=c11. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#define LARGEST          65504.0f
#define SMALLEST_NORMAL  -14 /* exponent */
#define SIGNIFICAND_BITS 10

/* A neighbour of w in half, the upper one with the probability of w's place between the two. */
static mg_f16 rounded(float w, uint32_t random) {
    w = w > LARGEST ? LARGEST : w < -LARGEST ? -LARGEST : w;
    const int32_t exponent = mg_max(mg_exponent_of(__builtin_fabsf(w)), SMALLEST_NORMAL);
    const float unit = mg_power_of_two(exponent - SIGNIFICAND_BITS);
    const float steps = w * mg_power_of_two(SIGNIFICAND_BITS - exponent);
    const float raised =
        steps + (float)(random >> 19) * 0x1p-13f; /* no more bits fit: no rounding */
    const int32_t towards_zero = (int32_t)raised;
    const int32_t whole = towards_zero - ((float)towards_zero > raised);
    return (mg_f16)((float)whole * unit > LARGEST ? LARGEST : (float)whole * unit);
}

void mg_sgd_f16_step(const mg_size_params *p, const mg_sgd_half *q, const mg_f16 *w,
                     const mg_f16 *dw, const float *scale, const int32_t *finite,
                     const int32_t *updates, const float *hyper, mg_f16 *w_next) {
    const float rate = q->rate * hyper[0], decay = hyper[2], unscale = 1.0f / *scale;
    const uint32_t draw = mg_first_draw(q->salt, *updates);
    const int learns = *finite != 0;
    for (int32_t i = 0; i < p->size; ++i) {
        const float old = (float)w[i];
        const float step = rate * ((float)dw[i] * unscale + decay * old);
        w_next[i] = learns ? rounded(old - step, mg_mixed(draw + (uint32_t)i)) : w[i];
    }
}
