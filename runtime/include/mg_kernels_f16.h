/* The kernels of half precision: those of mg_kernels.h for float32, under the same parameters.
 *
 * Tensors are stored in half and summed in single precision. */
#ifndef MG_KERNELS_F16_H
#define MG_KERNELS_F16_H

#include "mg_f16.h"
#include "mg_kernels.h"

/* The scale doubles after `interval` good steps in a row, up to `largest`, and halves, down to 1,
 * with each step that is skipped. steps: good ones in a row, and all that were skipped. */
typedef struct {
    int32_t interval;
    float largest;
} mg_loss_scale;

void mg_loss_scale_f32_step(const mg_loss_scale *q, const float *scale, const int32_t *steps,
                            const int32_t *finite, float *scale_next, int32_t *steps_next);

#ifdef MG_HALF
void mg_conv2d_f16_fwd(const mg_conv2d_params *p, const mg_clamp_f32 *q, const mg_f16 *x,
                       const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
void mg_conv2d_f16_bwd_data(const mg_conv2d_params *p, const mg_f16 *dy, const mg_f16 *w,
                            mg_f16 *dx);
void mg_conv2d_f16_bwd_weight(const mg_conv2d_params *p, const mg_f16 *x, const mg_f16 *dy,
                              const mg_f16 *gathered, mg_f16 *dw);
size_t mg_conv2d_f16_fwd_rvv_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_fwd_rvv(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                           const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
void mg_conv2d_f16_bwd_data_rvv(const mg_conv2d_params *p, const mg_f16 *dy, const mg_f16 *w,
                                mg_f16 *dx);
void mg_conv2d_f16_bwd_weight_rvv(const mg_conv2d_params *p, const mg_f16 *x, const mg_f16 *dy,
                                  const mg_f16 *gathered, mg_f16 *dw);
size_t mg_conv2d_f16_fwd_rvv_planes_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_fwd_rvv_planes(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                  const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
size_t mg_conv2d_f16_bwd_data_rvv_planes_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_bwd_data_rvv_planes(void *scratch, const mg_conv2d_params *p, const mg_f16 *dy,
                                       const mg_f16 *w, mg_f16 *dx);
size_t mg_conv2d_f16_bwd_weight_rvv_windows_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_bwd_weight_rvv_windows(void *scratch, const mg_conv2d_params *p, const mg_f16 *x,
                                          const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw);
void mg_conv2d_f16_fwd_rvv_packed(const mg_conv2d_params *p, const mg_clamp_f32 *q, const mg_f16 *x,
                                  const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
size_t mg_conv2d_f16_fwd_rvv_planes_packed_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_fwd_rvv_planes_packed(void *scratch, const mg_conv2d_params *p,
                                         const mg_clamp_f32 *q, const mg_f16 *x, const mg_f16 *w,
                                         const mg_f16 *b, mg_f16 *y);
size_t mg_conv2d_f16_bwd_data_rvv_packed_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_bwd_data_rvv_packed(void *scratch, const mg_conv2d_params *p, const mg_f16 *dy,
                                       const mg_f16 *w, mg_f16 *dx);
size_t mg_conv2d_f16_bwd_data_rvv_planes_packed_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_bwd_data_rvv_planes_packed(void *scratch, const mg_conv2d_params *p,
                                              const mg_f16 *dy, const mg_f16 *w, mg_f16 *dx);
size_t mg_conv2d_f16_fwd_xfvec_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_fwd_xfvec(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                             const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
size_t mg_conv2d_f16_bwd_data_xfvec_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_bwd_data_xfvec(void *scratch, const mg_conv2d_params *p, const mg_f16 *dy,
                                  const mg_f16 *w, mg_f16 *dx);
size_t mg_conv2d_f16_bwd_weight_xfvec_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_bwd_weight_xfvec(void *scratch, const mg_conv2d_params *p, const mg_f16 *x,
                                    const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw);
void mg_depthwise_conv2d_f16_fwd(const mg_conv2d_params *p, const mg_clamp_f32 *q, const mg_f16 *x,
                                 const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
void mg_depthwise_conv2d_f16_bwd_data(const mg_conv2d_params *p, const mg_f16 *dy, const mg_f16 *w,
                                      mg_f16 *dx);
void mg_depthwise_conv2d_f16_bwd_weight(const mg_conv2d_params *p, const mg_f16 *x,
                                        const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw);
void mg_depthwise_conv2d_f16_fwd_rvv(const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                     const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
void mg_depthwise_conv2d_f16_bwd_data_rvv(const mg_conv2d_params *p, const mg_f16 *dy,
                                          const mg_f16 *w, mg_f16 *dx);
void mg_depthwise_conv2d_f16_bwd_weight_rvv(const mg_conv2d_params *p, const mg_f16 *x,
                                            const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw);
void mg_depthwise_conv2d_f16_fwd_xfvec(const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                       const mg_f16 *x, const mg_f16 *w, const mg_f16 *b,
                                       mg_f16 *y);
void mg_depthwise_conv2d_f16_bwd_data_xfvec(const mg_conv2d_params *p, const mg_f16 *dy,
                                            const mg_f16 *w, mg_f16 *dx);
void mg_depthwise_conv2d_f16_bwd_weight_xfvec(const mg_conv2d_params *p, const mg_f16 *x,
                                              const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw);
void mg_fully_connected_f16_fwd(const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                                const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
void mg_fully_connected_f16_fwd_xfvec(const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                                      const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
void mg_fully_connected_f16_bwd_data_xfvec(const mg_fully_connected_params *p, const mg_f16 *dy,
                                           const mg_f16 *w, mg_f16 *dx);
void mg_fully_connected_f16_bwd_weight_xfvec(const mg_fully_connected_params *p, const mg_f16 *x,
                                             const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw);
void mg_fully_connected_f16_bwd_data(const mg_fully_connected_params *p, const mg_f16 *dy,
                                     const mg_f16 *w, mg_f16 *dx);
void mg_fully_connected_f16_bwd_weight(const mg_fully_connected_params *p, const mg_f16 *x,
                                       const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw);
void mg_fully_connected_f16_fwd_rvv(const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                                    const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
void mg_fully_connected_f16_bwd_data_rvv(const mg_fully_connected_params *p, const mg_f16 *dy,
                                         const mg_f16 *w, mg_f16 *dx);
void mg_fully_connected_f16_bwd_weight_rvv(const mg_fully_connected_params *p, const mg_f16 *x,
                                           const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw);
void mg_channel_sum_f16_fwd(const mg_channel_sum_params *p, const mg_f16 *dy,
                            const mg_f16 *gathered, mg_f16 *sum);
void mg_channel_sum_f16_fwd_xfvec(const mg_channel_sum_params *p, const mg_f16 *dy,
                                  const mg_f16 *gathered, mg_f16 *sum);
void mg_masked_sum_f16_fwd(const mg_channel_sum_params *p, const mg_f16 *dy, const uint8_t *mask,
                           const mg_f16 *gathered, mg_f16 *dx, mg_f16 *sum);
void mg_add_f16_fwd(const mg_elementwise_params *p, const mg_clamp_f32 *q, const mg_f16 *a,
                    const mg_f16 *b, mg_f16 *y);
void mg_add_f16_fwd_rvv(const mg_elementwise_params *p, const mg_clamp_f32 *q, const mg_f16 *a,
                        const mg_f16 *b, mg_f16 *y);
void mg_sub_f16_fwd(const mg_elementwise_params *p, const mg_clamp_f32 *q, const mg_f16 *a,
                    const mg_f16 *b, mg_f16 *y);
void mg_mul_f16_fwd(const mg_elementwise_params *p, const mg_clamp_f32 *q, const mg_f16 *a,
                    const mg_f16 *b, mg_f16 *y);
void mg_neg_f16_fwd(const mg_size_params *p, const mg_f16 *x, mg_f16 *y);
void mg_reduce_f16_fwd(const mg_reduce_params *p, const mg_f16 *x, mg_f16 *y);
void mg_mean_f16_bwd_data(const mg_reduce_params *p, const mg_f16 *dy, mg_f16 *dx);
void mg_pad_f16_fwd(const mg_box_params *p, const mg_f16 *x, mg_f16 *y);
void mg_slice_f16_fwd(const mg_box_params *p, const mg_f16 *x, mg_f16 *y);
void mg_concat_f16_fwd(const mg_concat_params *p, const mg_f16 *x0, const mg_f16 *x1,
                       const mg_f16 *x2, const mg_f16 *x3, const mg_f16 *x4, const mg_f16 *x5,
                       const mg_f16 *x6, const mg_f16 *x7, mg_f16 *y);
void mg_avg_pool2d_f16_fwd(const mg_pool2d_params *p, const mg_clamp_f32 *q, const mg_f16 *x,
                           mg_f16 *y);
void mg_avg_pool2d_f16_bwd_data(const mg_pool2d_params *p, const mg_f16 *dy, mg_f16 *dx);
void mg_max_pool2d_f16_fwd(const mg_pool2d_params *p, const mg_clamp_f32 *q, const mg_f16 *x,
                           mg_f16 *y);
void mg_max_pool2d_f16_bwd_data(const mg_pool2d_params *p, const mg_f16 *dy, const mg_f16 *x,
                                mg_f16 *dx);
void mg_clamp_f16_fwd(const mg_size_params *p, const mg_clamp_f32 *q, const mg_f16 *x, mg_f16 *y);
void mg_clamp_f16_bwd_data(const mg_size_params *p, const mg_clamp_f32 *q, const mg_f16 *dy,
                           const mg_f16 *y, mg_f16 *dx);
void mg_clamp_f16_bwd_data_rvv(const mg_size_params *p, const mg_clamp_f32 *q, const mg_f16 *dy,
                               const mg_f16 *y, mg_f16 *dx);
void mg_clamp_f16_bwd_data_xfvec(const mg_size_params *p, const mg_clamp_f32 *q, const mg_f16 *dy,
                                 const mg_f16 *y, mg_f16 *dx);
void mg_saturation_mask_f16_bwd_data(const mg_size_params *p, const mg_f16 *dy, const uint8_t *mask,
                                     mg_f16 *dx);
void mg_logistic_f16_fwd(const mg_size_params *p, const mg_f16 *x, mg_f16 *y);
void mg_logistic_f16_bwd_data(const mg_size_params *p, const mg_f16 *dy, const mg_f16 *y,
                              mg_f16 *dx);
void mg_tanh_f16_fwd(const mg_size_params *p, const mg_f16 *x, mg_f16 *y);
void mg_tanh_f16_bwd_data(const mg_size_params *p, const mg_f16 *dy, const mg_f16 *y, mg_f16 *dx);
void mg_hard_swish_f16_fwd(const mg_size_params *p, const mg_f16 *x, mg_f16 *y);
void mg_hard_swish_f16_bwd_data(const mg_size_params *p, const mg_f16 *dy, const mg_f16 *x,
                                mg_f16 *dx);
void mg_leaky_relu_f16_fwd(const mg_leaky_relu_params *p, const mg_f16 *x, mg_f16 *y);
void mg_leaky_relu_f16_bwd_data(const mg_leaky_relu_params *p, const mg_f16 *dy, const mg_f16 *x,
                                mg_f16 *dx);
void mg_softmax_f16_fwd(const mg_softmax_params *p, const mg_f16 *x, mg_f16 *y);
void mg_softmax_f16_bwd_data(const mg_softmax_params *p, const mg_f16 *dy, const mg_f16 *y,
                             mg_f16 *dx);
void mg_uniform_f16_fwd(const mg_uniform_params *p, mg_f16 *y);
void mg_gather_channels_f16_fwd(const mg_runs_params *p, const mg_f16 *x, mg_f16 *y);
void mg_merge_channels_f16_fwd(const mg_runs_params *p, const mg_f16 *whole, const mg_f16 *part,
                               mg_f16 *y);

/* Variants of cores with Helium. */
size_t mg_conv2d_f16_fwd_mve_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_fwd_mve(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                           const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
size_t mg_conv2d_f16_fwd_mve_packed_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_fwd_mve_packed(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                  const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
void mg_fully_connected_f16_fwd_mve(const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                                    const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
void mg_fully_connected_f16_bwd_data_mve(const mg_fully_connected_params *p, const mg_f16 *dy,
                                         const mg_f16 *w, mg_f16 *dx);
void mg_fully_connected_f16_bwd_weight_mve(const mg_fully_connected_params *p, const mg_f16 *x,
                                           const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw);
size_t mg_conv2d_f16_bwd_data_mve_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_bwd_data_mve(void *scratch, const mg_conv2d_params *p, const mg_f16 *dy,
                                const mg_f16 *w, mg_f16 *dx);
size_t mg_conv2d_f16_bwd_data_mve_packed_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f16_bwd_data_mve_packed(void *scratch, const mg_conv2d_params *p, const mg_f16 *dy,
                                       const mg_f16 *w, mg_f16 *dx);
void mg_conv2d_f16_bwd_weight_mve(const mg_conv2d_params *p, const mg_f16 *x, const mg_f16 *dy,
                                  const mg_f16 *gathered, mg_f16 *dw);

void mg_depthwise_conv2d_f16_fwd_mve(const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                     const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y);
void mg_depthwise_conv2d_f16_bwd_data_mve(const mg_conv2d_params *p, const mg_f16 *dy,
                                          const mg_f16 *w, mg_f16 *dx);
void mg_depthwise_conv2d_f16_bwd_weight_mve(const mg_conv2d_params *p, const mg_f16 *x,
                                            const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw);

void mg_cast_f32_fwd(const mg_size_params *p, const float *x, mg_f16 *y);
void mg_cast_f16_fwd(const mg_size_params *p, const mg_f16 *x, float *y);
void mg_dequantize_half_s8_fwd(const mg_size_params *p, const mg_quantize_s8 *q, const int8_t *x,
                               mg_f16 *y);

/* Gradients are those of the loss times a scale. finite: 1 where all gradients that were looked
 * through are finite, of x and, unless it is NULL, of those before; else 0. */
void mg_all_finite_f16_fwd(const mg_size_params *p, const mg_f16 *x, const int32_t *before,
                           int32_t *finite);
void mg_all_finite_f16_fwd_rvv(const mg_size_params *p, const mg_f16 *x, const int32_t *before,
                               int32_t *finite);
void mg_all_finite_f16_fwd_xfvec(const mg_size_params *p, const mg_f16 *x, const int32_t *before,
                                 int32_t *finite);

/* The rounding's random numbers, and the share of the learning rate, as in mg_sgd_quant. */
typedef struct {
    int32_t salt;
    float rate;
} mg_sgd_half;

/* dw: times the loss's scale. w is rounded up or down with a probability that keeps its mean; it
 * stays as it is unless `finite`. */
void mg_sgd_f16_step(const mg_size_params *p, const mg_sgd_half *q, const mg_f16 *w,
                     const mg_f16 *dw, const float *scale, const int32_t *finite,
                     const int32_t *updates, const float *hyper, mg_f16 *w_next);
void mg_sgd_f16_step_rvv(const mg_size_params *p, const mg_sgd_half *q, const mg_f16 *w,
                         const mg_f16 *dw, const float *scale, const int32_t *finite,
                         const int32_t *updates, const float *hyper, mg_f16 *w_next);

/* With momentum, whose velocity v has no scale. */
void mg_sgd_momentum_f16_step(const mg_size_params *p, const mg_sgd_half *q, const mg_f16 *w,
                              const mg_f16 *dw, const mg_f16 *v, const float *scale,
                              const int32_t *finite, const int32_t *updates, const float *hyper,
                              mg_f16 *w_next, mg_f16 *v_next);
#endif

#endif
