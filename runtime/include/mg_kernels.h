/* The kernels of int8 and float32: portable prototypes that every target can run. Those of half
 * precision and of integer gradients have headers of their own.
 *
 * Argument order: scratch, parameters, quantisation, inputs (const), outputs.
 * An absent optional input is NULL. Images are [H][W][C], one sample a call.
 * A bwd_weight or bwd_bias kernel takes the gradient gathered so far as its last input,
 * NULL to start from zero; it may be the output itself.
 */
#ifndef MG_KERNELS_H
#define MG_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define MG_INFINITY __builtin_inff()

/* Limits of a fused activation; -MG_INFINITY and MG_INFINITY where there is none. */
typedef struct {
    float low, high;
} mg_clamp_f32;

/* The same in stored values of int8. */
typedef struct {
    int32_t low, high;
} mg_clamp_s8;

/* int32 sums to int8 results, a multiplier (Q31) and a left shift for each channel. */
typedef struct {
    int32_t input_zero_point, output_zero_point;
    int32_t low, high;
    const int32_t *multiplier;
    const int8_t *shift;
} mg_requant_s8;

/* The same as LiteRT's FULLY_CONNECTED does it: one rounding of a product in double. */
typedef struct {
    int32_t input_zero_point, output_zero_point;
    int32_t low, high;
    const double *scale;
} mg_rescale_s8;

/* real = scale * (code - zero_point) */
typedef struct {
    float scale;
    int32_t zero_point;
} mg_quantize_s8;

/* One scale for each index along an axis, all zero points 0: unit * multiplier * 2^(shift - 31).
 * The multipliers and shifts are those of the layer's mg_requant_s8, so it has but one table. */
typedef struct {
    int32_t count;
    float unit;
    const int32_t *multiplier;
    const int8_t *shift;
} mg_scales;

/* conv2d: x [in_h][in_w][in_c], w [out_c][kernel_h][kernel_w][in_c / groups], b [out_c],
 * y [out_h][out_w][out_c]. The backward kernels take the forward call's geometry; those of an
 * int8 layer have float gradients, the scales of w's output channels, or x's quantisation. */
typedef struct {
    int32_t in_h, in_w, in_c, out_h, out_w, out_c, groups;
    int32_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w;
} mg_conv2d_params;

size_t mg_conv2d_s8_fwd_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_s8_fwd(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                      const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y);
size_t mg_conv2d_s8_fwd_dsp_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_s8_fwd_dsp(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                          const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y);
size_t mg_conv2d_s8_fwd_mve_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_s8_fwd_mve(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                          const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y);
size_t mg_conv2d_s8_fwd_rvv_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_s8_fwd_rvv(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                          const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y);
void mg_conv2d_s8_fwd_rvv_packed(const mg_conv2d_params *p, const mg_requant_s8 *q, const int8_t *x,
                                 const int8_t *w, const int32_t *b, int8_t *y);
void mg_conv2d_f32_fwd(const mg_conv2d_params *p, const mg_clamp_f32 *q, const float *x,
                       const float *w, const float *b, float *y);
size_t mg_conv2d_s8_bwd_data_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_s8_bwd_data(void *scratch, const mg_conv2d_params *p, const mg_scales *q,
                           const float *dy, const int8_t *w, float *dx);
size_t mg_conv2d_s8_bwd_data_pointwise_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_s8_bwd_data_pointwise(void *scratch, const mg_conv2d_params *p, const mg_scales *q,
                                     const float *dy, const int8_t *w, float *dx);
void mg_conv2d_s8_bwd_weight(const mg_conv2d_params *p, const mg_quantize_s8 *q, const int8_t *x,
                             const float *dy, const float *gathered, float *dw);
void mg_conv2d_s8_bwd_weight_pointwise(const mg_conv2d_params *p, const mg_quantize_s8 *q,
                                       const int8_t *x, const float *dy, const float *gathered,
                                       float *dw);
void mg_conv2d_f32_bwd_data(const mg_conv2d_params *p, const float *dy, const float *w, float *dx);
void mg_conv2d_f32_bwd_weight(const mg_conv2d_params *p, const float *x, const float *dy,
                              const float *gathered, float *dw);
size_t mg_conv2d_f32_fwd_rvv_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f32_fwd_rvv(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                           const float *x, const float *w, const float *b, float *y);
void mg_conv2d_f32_bwd_data_rvv(const mg_conv2d_params *p, const float *dy, const float *w,
                                float *dx);
void mg_conv2d_f32_bwd_weight_rvv(const mg_conv2d_params *p, const float *x, const float *dy,
                                  const float *gathered, float *dw);
size_t mg_conv2d_f32_fwd_rvv_planes_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f32_fwd_rvv_planes(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                  const float *x, const float *w, const float *b, float *y);
size_t mg_conv2d_f32_bwd_data_rvv_planes_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f32_bwd_data_rvv_planes(void *scratch, const mg_conv2d_params *p, const float *dy,
                                       const float *w, float *dx);
size_t mg_conv2d_f32_bwd_weight_rvv_windows_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f32_bwd_weight_rvv_windows(void *scratch, const mg_conv2d_params *p, const float *x,
                                          const float *dy, const float *gathered, float *dw);
void mg_conv2d_f32_fwd_rvv_packed(const mg_conv2d_params *p, const mg_clamp_f32 *q, const float *x,
                                  const float *w, const float *b, float *y);
size_t mg_conv2d_f32_fwd_rvv_planes_packed_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f32_fwd_rvv_planes_packed(void *scratch, const mg_conv2d_params *p,
                                         const mg_clamp_f32 *q, const float *x, const float *w,
                                         const float *b, float *y);
size_t mg_conv2d_f32_bwd_data_rvv_packed_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f32_bwd_data_rvv_packed(void *scratch, const mg_conv2d_params *p, const float *dy,
                                       const float *w, float *dx);
size_t mg_conv2d_f32_bwd_data_rvv_planes_packed_scratch_size(const mg_conv2d_params *p);
void mg_conv2d_f32_bwd_data_rvv_planes_packed(void *scratch, const mg_conv2d_params *p,
                                              const float *dy, const float *w, float *dx);

/* depthwise_conv2d: x [in_h][in_w][in_c], w [kernel_h][kernel_w][out_c]. Output channel c
 * reads input channel c / (out_c / in_c). s8: y may be x where they have one shape. */
size_t mg_depthwise_conv2d_s8_fwd_scratch_size(const mg_conv2d_params *p);
void mg_depthwise_conv2d_s8_fwd(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                                const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y);
size_t mg_depthwise_conv2d_s8_fwd_dsp_scratch_size(const mg_conv2d_params *p);
void mg_depthwise_conv2d_s8_fwd_dsp(void *scratch, const mg_conv2d_params *p,
                                    const mg_requant_s8 *q, const int8_t *x, const int8_t *w,
                                    const int32_t *b, int8_t *y);
size_t mg_depthwise_conv2d_s8_fwd_mve_scratch_size(const mg_conv2d_params *p);
void mg_depthwise_conv2d_s8_fwd_mve(void *scratch, const mg_conv2d_params *p,
                                    const mg_requant_s8 *q, const int8_t *x, const int8_t *w,
                                    const int32_t *b, int8_t *y);
void mg_depthwise_conv2d_s8_fwd_rvv(const mg_conv2d_params *p, const mg_requant_s8 *q,
                                    const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y);
void mg_depthwise_conv2d_f32_fwd(const mg_conv2d_params *p, const mg_clamp_f32 *q, const float *x,
                                 const float *w, const float *b, float *y);
size_t mg_depthwise_conv2d_s8_bwd_data_scratch_size(const mg_conv2d_params *p);
void mg_depthwise_conv2d_s8_bwd_data(void *scratch, const mg_conv2d_params *p, const mg_scales *q,
                                     const float *dy, const int8_t *w, float *dx);
void mg_depthwise_conv2d_s8_bwd_weight(const mg_conv2d_params *p, const mg_quantize_s8 *q,
                                       const int8_t *x, const float *dy, const float *gathered,
                                       float *dw);
void mg_depthwise_conv2d_f32_bwd_data(const mg_conv2d_params *p, const float *dy, const float *w,
                                      float *dx);
void mg_depthwise_conv2d_f32_bwd_weight(const mg_conv2d_params *p, const float *x, const float *dy,
                                        const float *gathered, float *dw);
void mg_depthwise_conv2d_f32_fwd_rvv(const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                     const float *x, const float *w, const float *b, float *y);
void mg_depthwise_conv2d_f32_bwd_data_rvv(const mg_conv2d_params *p, const float *dy,
                                          const float *w, float *dx);
void mg_depthwise_conv2d_f32_bwd_weight_rvv(const mg_conv2d_params *p, const float *x,
                                            const float *dy, const float *gathered, float *dw);

/* fully_connected: x [rows][in], w [out][in], b [out], y [rows][out]. */
typedef struct {
    int32_t rows, in, out;
} mg_fully_connected_params;

void mg_fully_connected_s8_fwd(const mg_fully_connected_params *p, const mg_rescale_s8 *q,
                               const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y);
void mg_fully_connected_f32_fwd(const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                                const float *x, const float *w, const float *b, float *y);
size_t mg_fully_connected_s8_bwd_data_scratch_size(const mg_fully_connected_params *p);
void mg_fully_connected_s8_bwd_data(void *scratch, const mg_fully_connected_params *p,
                                    const mg_scales *q, const float *dy, const int8_t *w,
                                    float *dx);
void mg_fully_connected_s8_bwd_weight(const mg_fully_connected_params *p, const mg_quantize_s8 *q,
                                      const int8_t *x, const float *dy, const float *gathered,
                                      float *dw);
void mg_fully_connected_f32_bwd_data(const mg_fully_connected_params *p, const float *dy,
                                     const float *w, float *dx);
void mg_fully_connected_f32_bwd_weight(const mg_fully_connected_params *p, const float *x,
                                       const float *dy, const float *gathered, float *dw);
void mg_fully_connected_f32_fwd_rvv(const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                                    const float *x, const float *w, const float *b, float *y);
void mg_fully_connected_f32_bwd_data_rvv(const mg_fully_connected_params *p, const float *dy,
                                         const float *w, float *dx);
void mg_fully_connected_f32_bwd_weight_rvv(const mg_fully_connected_params *p, const float *x,
                                           const float *dy, const float *gathered, float *dw);

/* channel_sum: dy [positions][channels], sum [channels]. */
typedef struct {
    int32_t positions, channels;
} mg_channel_sum_params;

void mg_channel_sum_f32_fwd(const mg_channel_sum_params *p, const float *dy, const float *gathered,
                            float *sum);
/* dx: what the mask lets through of dy, which is summed too. */
void mg_masked_sum_f32_fwd(const mg_channel_sum_params *p, const float *dy, const uint8_t *mask,
                           const float *gathered, float *dx, float *sum);

/* A plain row of elements. */
typedef struct {
    int32_t size;
} mg_size_params;

/* An int8 operator on one operand: the result for each byte of the operand. */
typedef struct {
    const int8_t *table;
} mg_lookup_s8;

void mg_lookup_s8_fwd(const mg_size_params *p, const mg_lookup_s8 *q, const int8_t *x, int8_t *y);

/* add, sub, mul: y [shape], operands with a stride of 0 where they repeat. */
typedef struct {
    int32_t shape[4], a_stride[4], b_stride[4];
} mg_elementwise_params;

/* int8 sums: operands to one fine scale, then to that of the result. */
typedef struct {
    int32_t a_zero_point, b_zero_point, y_zero_point, low, high;
    int32_t a_multiplier, a_shift, b_multiplier, b_shift, y_multiplier, y_shift;
} mg_sum_s8;

typedef struct {
    int32_t a_zero_point, b_zero_point, y_zero_point, low, high;
    int32_t multiplier, shift;
} mg_mul_s8;

size_t mg_add_s8_fwd_scratch_size(const mg_elementwise_params *p);
void mg_add_s8_fwd(void *scratch, const mg_elementwise_params *p, const mg_sum_s8 *q,
                   const int8_t *a, const int8_t *b, int8_t *y);
void mg_add_f32_fwd(const mg_elementwise_params *p, const mg_clamp_f32 *q, const float *a,
                    const float *b, float *y);
void mg_add_f32_fwd_rvv(const mg_elementwise_params *p, const mg_clamp_f32 *q, const float *a,
                        const float *b, float *y);
size_t mg_sub_s8_fwd_scratch_size(const mg_elementwise_params *p);
void mg_sub_s8_fwd(void *scratch, const mg_elementwise_params *p, const mg_sum_s8 *q,
                   const int8_t *a, const int8_t *b, int8_t *y);
void mg_sub_f32_fwd(const mg_elementwise_params *p, const mg_clamp_f32 *q, const float *a,
                    const float *b, float *y);
void mg_mul_s8_fwd(const mg_elementwise_params *p, const mg_mul_s8 *q, const int8_t *a,
                   const int8_t *b, int8_t *y);
void mg_mul_f32_fwd(const mg_elementwise_params *p, const mg_clamp_f32 *q, const float *a,
                    const float *b, float *y);
void mg_neg_f32_fwd(const mg_size_params *p, const float *x, float *y);

/* Sums over some dimensions, times a scale: x has two kept and two summed ones. */
typedef struct {
    int32_t kept[2], kept_stride[2], summed[2], summed_stride[2];
    float scale;
} mg_reduce_params;

/* The sum's zero points, and the result's scale with 1 / count worked into it. */
typedef struct {
    int32_t x_zero_points, y_zero_point, multiplier, shift;
} mg_mean_s8;

void mg_reduce_f32_fwd(const mg_reduce_params *p, const float *x, float *y);
void mg_mean_s8_fwd(const mg_reduce_params *p, const mg_mean_s8 *q, const int8_t *x, int8_t *y);
void mg_mean_f32_bwd_data(const mg_reduce_params *p, const float *dy, float *dx);

/* pad, slice: a box copied from one array into another, all in bytes. */
typedef struct {
    int32_t shape[3], row_bytes, src_stride[3], dst_stride[3], src_offset, dst_offset, dst_bytes;
} mg_box_params;

typedef struct {
    int32_t zero_point;
} mg_pad_s8;

void mg_pad_s8_fwd(const mg_box_params *p, const mg_pad_s8 *q, const int8_t *x, int8_t *y);
void mg_pad_f32_fwd(const mg_box_params *p, const float *x, float *y);
void mg_slice_s8_fwd(const mg_box_params *p, const int8_t *x, int8_t *y);
void mg_slice_f32_fwd(const mg_box_params *p, const float *x, float *y);

/* concat: a block of each of `count` operands in turn, `outer` times. */
typedef struct {
    int32_t outer, count, block_bytes[8];
} mg_concat_params;

void mg_concat_s8_fwd(const mg_concat_params *p, const int8_t *x0, const int8_t *x1,
                      const int8_t *x2, const int8_t *x3, const int8_t *x4, const int8_t *x5,
                      const int8_t *x6, const int8_t *x7, int8_t *y);
void mg_concat_f32_fwd(const mg_concat_params *p, const float *x0, const float *x1, const float *x2,
                       const float *x3, const float *x4, const float *x5, const float *x6,
                       const float *x7, float *y);

/* Poolings: x [in_h][in_w][channels], y [out_h][out_w][channels]; every window touches the
 * image. The backward kernels take the forward call's geometry. */
typedef struct {
    int32_t in_h, in_w, channels, out_h, out_w;
    int32_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
} mg_pool2d_params;

typedef struct {
    int32_t low, high;
} mg_range_s8;

void mg_avg_pool2d_s8_fwd(const mg_pool2d_params *p, const mg_range_s8 *q, const int8_t *x,
                          int8_t *y);
void mg_avg_pool2d_f32_fwd(const mg_pool2d_params *p, const mg_clamp_f32 *q, const float *x,
                           float *y);
void mg_avg_pool2d_f32_bwd_data(const mg_pool2d_params *p, const float *dy, float *dx);
void mg_max_pool2d_s8_fwd(const mg_pool2d_params *p, const mg_range_s8 *q, const int8_t *x,
                          int8_t *y);
void mg_max_pool2d_f32_fwd(const mg_pool2d_params *p, const mg_clamp_f32 *q, const float *x,
                           float *y);
void mg_max_pool2d_f32_bwd_data(const mg_pool2d_params *p, const float *dy, const float *x,
                                float *dx);

/* Activations; clamp and logistic and tanh go back from their result y. */
typedef struct {
    int32_t size;
    float alpha;
} mg_leaky_relu_params;

void mg_clamp_f32_fwd(const mg_size_params *p, const mg_clamp_f32 *q, const float *x, float *y);
void mg_clamp_f32_bwd_data(const mg_size_params *p, const mg_clamp_f32 *q, const float *dy,
                           const float *y, float *dx);
void mg_clamp_f32_bwd_data_rvv(const mg_size_params *p, const mg_clamp_f32 *q, const float *dy,
                               const float *y, float *dx);
void mg_clamp_s8_bwd_data(const mg_size_params *p, const mg_clamp_s8 *q, const float *dy,
                          const int8_t *y, float *dx);
/* Bit i % 8 of mask[i / 8] is set where y[i] lies inside the range. */
void mg_saturation_mask_s8_fwd(const mg_size_params *p, const mg_clamp_s8 *q, const int8_t *y,
                               uint8_t *mask);
void mg_saturation_mask_f32_bwd_data(const mg_size_params *p, const float *dy, const uint8_t *mask,
                                     float *dx);
void mg_logistic_f32_fwd(const mg_size_params *p, const float *x, float *y);
void mg_logistic_f32_bwd_data(const mg_size_params *p, const float *dy, const float *y, float *dx);
void mg_tanh_f32_fwd(const mg_size_params *p, const float *x, float *y);
void mg_tanh_f32_bwd_data(const mg_size_params *p, const float *dy, const float *y, float *dx);
void mg_hard_swish_f32_fwd(const mg_size_params *p, const float *x, float *y);
void mg_hard_swish_f32_bwd_data(const mg_size_params *p, const float *dy, const float *x,
                                float *dx);
void mg_leaky_relu_f32_fwd(const mg_leaky_relu_params *p, const float *x, float *y);
void mg_leaky_relu_f32_bwd_data(const mg_leaky_relu_params *p, const float *dy, const float *x,
                                float *dx);

/* softmax of each row; int8 results have scale 1/256 and zero point -128. */
typedef struct {
    int32_t rows, columns;
    float beta;
} mg_softmax_params;

/* exp in Q31 of 0 .. 255 codes below the greatest of the row. */
typedef struct {
    const int32_t *exp;
} mg_softmax_s8;

void mg_softmax_s8_fwd(const mg_softmax_params *p, const mg_softmax_s8 *q, const int8_t *x,
                       int8_t *y);
void mg_softmax_f32_fwd(const mg_softmax_params *p, const float *x, float *y);
void mg_softmax_f32_bwd_data(const mg_softmax_params *p, const float *dy, const float *y,
                             float *dx);

void mg_quantize_f32_fwd(const mg_size_params *p, const mg_quantize_s8 *q, const float *x,
                         int8_t *y);
/* An array [outer][scales][run], with one scale for each index along the middle axis. */
typedef struct {
    int32_t outer, run;
} mg_axis_params;

void mg_dequantize_axis_s8_fwd(const mg_axis_params *p, const mg_scales *q, const int8_t *x,
                               float *y);
void mg_dequantize_s8_fwd(const mg_size_params *p, const mg_quantize_s8 *q, const int8_t *x,
                          float *y);

/* Losses: the loss of the sample, and scale times its gradient by the prediction. */
typedef struct {
    int32_t size;
    float scale;
} mg_loss_params;

void mg_softmax_cross_entropy_f32_fwd(const mg_loss_params *p, const float *logits,
                                      const int32_t *target, float *loss, float *dlogits);
void mg_mean_squared_error_f32_fwd(const mg_loss_params *p, const float *prediction,
                                   const float *target, float *loss, float *dprediction);

/* Some of an array: in each of `outer` stretches of `stride` elements, `count` runs. */
typedef struct {
    int32_t outer, stride, count;
    const int32_t *start, *length;
} mg_runs_params;

void mg_gather_channels_s8_fwd(const mg_runs_params *p, const int8_t *x, int8_t *y);
void mg_gather_channels_f32_fwd(const mg_runs_params *p, const float *x, float *y);
/* y: whole, save the runs, which are those of part. */
void mg_merge_channels_s8_fwd(const mg_runs_params *p, const int8_t *whole, const int8_t *part,
                              int8_t *y);
void mg_merge_channels_f32_fwd(const mg_runs_params *p, const float *whole, const float *part,
                               float *y);

/* Random numbers: floats within the limit, or all integers up to it, of 127 at most. */
typedef struct {
    int32_t size, salt;
    float limit;
} mg_uniform_params;

void mg_uniform_s8_fwd(const mg_uniform_params *p, int8_t *y);
void mg_uniform_f32_fwd(const mg_uniform_params *p, float *y);

/* Optimisers. hyper: learning rate, momentum, weight decay. rate: of the learning rate. */
typedef struct {
    int32_t size;
    float rate;
} mg_sgd_params;

void mg_sgd_f32_step(const mg_sgd_params *p, const float *w, const float *dw, const float *hyper,
                     float *w_next);
void mg_sgd_f32_step_rvv(const mg_sgd_params *p, const float *w, const float *dw,
                         const float *hyper, float *w_next);
void mg_sgd_momentum_f32_step(const mg_sgd_params *p, const float *w, const float *dw,
                              const float *v, const float *hyper, float *w_next, float *v_next);

/* Element i of the stored integers has scale (i / run) % scales.count. limit: of their magnitude.
 * salt: of the rounding. qas: whether with quantisation-aware scaling. unit: of dw. rate: of the
 * learning rate. */
typedef struct {
    mg_scales scales;
    int32_t run, limit, salt, qas;
    float unit, rate;
} mg_sgd_quant;

/* dw: by the real weight. updates: how many there were, from which the rounding is drawn. */
void mg_sgd_s8_step(const mg_size_params *p, const mg_sgd_quant *q, const int8_t *w,
                    const float *dw, const int32_t *updates, const float *hyper, int8_t *w_next);
void mg_sgd_s32_step(const mg_size_params *p, const mg_sgd_quant *q, const int32_t *w,
                     const float *dw, const int32_t *updates, const float *hyper, int32_t *w_next);
void mg_increment_s32_step(const int32_t *x, int32_t *y);

#endif
