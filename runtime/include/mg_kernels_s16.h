/* The kernels of integer gradients: those of mg_kernels.h for float32, under the same parameters.
 *
 * A gradient is int16 codes with a scale that the compiler knows and an exponent that steps
 * compute, [exponent, bits of the largest code]. range, [gain, steps, largest gain]: by how many
 * bits sums exceeded codes in earlier steps, from which the next sums' shift follows.
 */
#ifndef MG_KERNELS_S16_H
#define MG_KERNELS_S16_H

#include "mg_kernels.h"

void mg_conv2d_s16_bwd_data(const mg_conv2d_params *p, const int16_t *dy, const int8_t *w,
                            const int32_t *exponent, const int32_t *range, int16_t *dx,
                            int32_t *dx_exponent, int32_t *range_next);
size_t mg_conv2d_s16_bwd_data_pointwise_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_s16_bwd_data_pointwise(void *scratch, const mg_conv2d_params *p, const int16_t *dy,
                                      const int8_t *w, const int32_t *exponent,
                                      const int32_t *range, int16_t *dx, int32_t *dx_exponent,
                                      int32_t *range_next);
size_t mg_conv2d_s16_bwd_data_dsp_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_s16_bwd_data_dsp(void *scratch, const mg_conv2d_params *p, const int16_t *dy,
                                const int8_t *w, const int32_t *exponent, const int32_t *range,
                                int16_t *dx, int32_t *dx_exponent, int32_t *range_next);
void mg_depthwise_conv2d_s16_bwd_data(const mg_conv2d_params *p, const int16_t *dy, const int8_t *w,
                                      const int32_t *exponent, const int32_t *range, int16_t *dx,
                                      int32_t *dx_exponent, int32_t *range_next);
size_t mg_depthwise_conv2d_s16_bwd_data_dsp_scratch_size(const mg_conv2d_params *p);
void mg_depthwise_conv2d_s16_bwd_data_dsp(void *scratch, const mg_conv2d_params *p,
                                          const int16_t *dy, const int8_t *w,
                                          const int32_t *exponent, const int32_t *range,
                                          int16_t *dx, int32_t *dx_exponent, int32_t *range_next);
void mg_fully_connected_s16_bwd_data(const mg_fully_connected_params *p, const int16_t *dy,
                                     const int8_t *w, const int32_t *exponent, const int32_t *range,
                                     int16_t *dx, int32_t *dx_exponent, int32_t *range_next);

/* x's zero point; the sum over all positions is divided by 2^shift to fit an int32. */
typedef struct {
    int32_t zero_point, shift;
} mg_weight_s16;

/* The gradient of the weights and their update, each sum used up
 * when it is complete. */
typedef struct {
    mg_weight_s16 weight;
    mg_sgd_quant sgd;
} mg_weight_step;

void mg_conv2d_s16_weight_step(const mg_conv2d_params *p, const mg_weight_step *q, const int8_t *x,
                               const int16_t *dy, const int8_t *w, const int32_t *exponent,
                               const int32_t *updates, const float *hyper, int8_t *w_next);
size_t mg_conv2d_s16_weight_step_deep_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_s16_weight_step_deep(void *scratch, const mg_conv2d_params *p,
                                    const mg_weight_step *q, const int8_t *x, const int16_t *dy,
                                    const int8_t *w, const int32_t *exponent,
                                    const int32_t *updates, const float *hyper, int8_t *w_next);
size_t mg_conv2d_s16_weight_step_dsp_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_s16_weight_step_dsp(void *scratch, const mg_conv2d_params *p,
                                   const mg_weight_step *q, const int8_t *x, const int16_t *dy,
                                   const int8_t *w, const int32_t *exponent, const int32_t *updates,
                                   const float *hyper, int8_t *w_next);
void mg_depthwise_conv2d_s16_weight_step(const mg_conv2d_params *p, const mg_weight_step *q,
                                         const int8_t *x, const int16_t *dy, const int8_t *w,
                                         const int32_t *exponent, const int32_t *updates,
                                         const float *hyper, int8_t *w_next);
size_t mg_depthwise_conv2d_s16_weight_step_dsp_scratch_size(const mg_conv2d_params *p);
void mg_depthwise_conv2d_s16_weight_step_dsp(void *scratch, const mg_conv2d_params *p,
                                             const mg_weight_step *q, const int8_t *x,
                                             const int16_t *dy, const int8_t *w,
                                             const int32_t *exponent, const int32_t *updates,
                                             const float *hyper, int8_t *w_next);
void mg_fully_connected_s16_weight_step(const mg_fully_connected_params *p, const mg_weight_step *q,
                                        const int8_t *x, const int16_t *dy, const int8_t *w,
                                        const int32_t *exponent, const int32_t *updates,
                                        const float *hyper, int8_t *w_next);
/* The same, with the remainders of w in 1/256. */
void mg_fully_connected_s16_weight_step_kept(const mg_fully_connected_params *p,
                                             const mg_weight_step *q, const int8_t *x,
                                             const int16_t *dy, const int8_t *w,
                                             const int32_t *exponent, const int32_t *updates,
                                             const float *hyper, const int8_t *kept, int8_t *w_next,
                                             int8_t *kept_next);

/* Sums of int8 products as they are. */
typedef struct {
    int32_t zero_point;
} mg_zero_point;

void mg_fully_connected_s8_sums_fwd(const mg_fully_connected_params *p, const mg_zero_point *q,
                                    const int8_t *x, const int8_t *w, const int32_t *b, int32_t *y);

void mg_clamp_s16_bwd_data(const mg_size_params *p, const mg_clamp_s8 *q, const int16_t *dy,
                           const int8_t *y, int16_t *dx);
void mg_saturation_mask_s16_bwd_data(const mg_size_params *p, const int16_t *dy,
                                     const uint8_t *mask, int16_t *dx);
void mg_mean_s16_bwd_data(const mg_reduce_params *p, const int16_t *dy, int16_t *dx);
void mg_avg_pool2d_s16_bwd_data(const mg_pool2d_params *p, const int16_t *dy, int16_t *dx);
void mg_channel_sum_s16_fwd(const mg_channel_sum_params *p, const int16_t *dy, int32_t *sum);
void mg_gather_channels_s16_fwd(const mg_runs_params *p, const int16_t *x, int16_t *y);

/* A factor of 0 to 2^15 for each channel, the nearest integer to its scale, over 2^shift. */
typedef struct {
    mg_scales scales;
    int32_t shift;
} mg_multipliers;

void mg_scale_channels_s16_fwd(const mg_channel_sum_params *p, const mg_multipliers *q,
                               const int16_t *x, int16_t *y);
/* The same of what the mask lets through, which is summed too; mask NULL: all of it. */
void mg_scaled_sum_s16_fwd(const mg_channel_sum_params *p, const mg_multipliers *q,
                           const int16_t *x, const uint8_t *mask, int16_t *y, int32_t *sum);

/* b in steps of a's scale: multiplier / 2^15 * 2^exponent. */
typedef struct {
    int32_t multiplier, exponent;
} mg_sum_s16;

void mg_sum_gradients_s16_fwd(const mg_size_params *p, const mg_sum_s16 *q, const int16_t *a,
                              const int32_t *a_exponent, const int16_t *b,
                              const int32_t *b_exponent, int16_t *y, int32_t *y_exponent);

typedef struct {
    float scale;
} mg_scale;

void mg_dequantize_gradient_s16_fwd(const mg_size_params *p, const mg_scale *q, const int16_t *x,
                                    const int32_t *exponent, float *y);
void mg_quantize_gradient_f32_fwd(const mg_size_params *p, const float *x, int16_t *y,
                                  int32_t *exponent);
void mg_dequantize_s32_fwd(const mg_size_params *p, const mg_quantize_s8 *q, const int32_t *x,
                           float *y);

/* Logits in powers of two, Q20: multiplier / 2^shift a step of their scale. ln2: / 2^20. */
typedef struct {
    int32_t multiplier, shift;
    float ln2;
} mg_integer_loss;

void mg_integer_cross_entropy_s8_fwd(const mg_size_params *p, const mg_integer_loss *q,
                                     const int8_t *logits, const int32_t *target, float *loss,
                                     int16_t *dlogits, int32_t *exponent);
void mg_integer_cross_entropy_s32_fwd(const mg_size_params *p, const mg_integer_loss *q,
                                      const int32_t *logits, const int32_t *target, float *loss,
                                      int16_t *dlogits, int32_t *exponent);

void mg_sgd_integer_s32_step(const mg_size_params *p, const mg_sgd_quant *q, const int32_t *w,
                             const int32_t *dw, const int32_t *exponent, const int32_t *updates,
                             const float *hyper, int32_t *w_next);

#endif
