/* The update from integer gradients, in fixed point. */
#ifndef MG_STEP_S16_H
#define MG_STEP_S16_H

#include "float_bits.h"
#include "mg_kernels_s16.h"

/* Scales whose rates are remembered: kernels go about between a few channels. */
#define MG_RATES 4

/* From a gradient's code to steps of the weights that have one of the scales. */
typedef struct {
    int32_t number;
    mg_parts rate;
} mg_rate;

/* What an update knows of its tensor: its own draws, the exponent of its gradient, its rates. */
typedef struct {
    const mg_sgd_quant *q;
    float rate;
    mg_parts decay;
    int32_t exponent;
    uint32_t draw;
    const int8_t *kept; /* remainders of the weights in 1/256, and where to; NULL: none are kept */
    int8_t *kept_next;
    mg_rate rates[MG_RATES]; /* number % MG_RATES is its place */
} mg_step_s16;

/* The weights from `first` on, `channel` apart between output channels, and their update. */
typedef struct {
    mg_step_s16 *step;
    const int8_t *w;
    int8_t *w_next;
    int32_t first, channel;
} mg_stepped;

mg_step_s16 mg_step_s16_of(const mg_sgd_quant *q, const int32_t *exponent, const int32_t *updates,
                           const float *hyper);

/* Updates the elements from `first` on, of which dw holds the gradients and nothing else. */
void mg_step_weights_s16(mg_step_s16 *s, int32_t first, int32_t count, const int32_t *dw,
                         const int8_t *w, int8_t *w_next);

#endif
