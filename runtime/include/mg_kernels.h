/* The kernels: portable prototypes that every target can run.
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

/* Limits of a fused activation; -INFINITY and INFINITY where there is none. */
typedef struct {
    float low, high;
} mg_clamp_f32;

/* int32 sums to int8 results, a multiplier (Q31) and a left shift for each channel. */
typedef struct {
    int32_t input_zero_point, output_zero_point;
    int32_t low, high;
    const int32_t *multiplier;
    const int8_t *shift;
} mg_requant_s8;

/* conv2d: x [in_h][in_w][in_c], w [out_c][kernel_h][kernel_w][in_c / groups], b [out_c],
 * y [out_h][out_w][out_c]. The backward kernels take the forward call's geometry. */
typedef struct {
    int32_t in_h, in_w, in_c, out_h, out_w, out_c, groups;
    int32_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w;
} mg_conv2d_params;

void mg_conv2d_s8_fwd(const mg_conv2d_params *p, const mg_requant_s8 *q, const int8_t *x,
                      const int8_t *w, const int32_t *b, int8_t *y);
void mg_conv2d_f32_fwd(const mg_conv2d_params *p, const mg_clamp_f32 *q, const float *x,
                       const float *w, const float *b, float *y);
void mg_conv2d_f32_bwd_data(const mg_conv2d_params *p, const float *dy, const float *w, float *dx);
void mg_conv2d_f32_bwd_weight(const mg_conv2d_params *p, const float *x, const float *dy,
                              const float *gathered, float *dw);

#endif
