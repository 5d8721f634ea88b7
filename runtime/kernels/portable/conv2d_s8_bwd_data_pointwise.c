/* Convolution, int8 weights, gradient of the input, whose window is one position: a product of
 * matrices, in tiles of one size alone. */
#include "part_s8.h"

#include "real_f32.h"

#define QUANT void
#include "weight_real.h"

#include "combine.h"

size_t mg_conv2d_s8_bwd_data_pointwise_scratch_size(const mg_conv2d_params *p) {
    return (size_t)(p->out_c * (PART + 1)) * sizeof(float);
}

void mg_conv2d_s8_bwd_data_pointwise(void *scratch, const mg_conv2d_params *p, const mg_scales *q,
                                     const float *dy, const int8_t *w, float *dx) {
    const mg_part part = mg_share(p->in_h * p->in_w, MG_PIXELS);
    float *const scales = scratch, *const real = scales + p->out_c;
    mg_all_scales(q, scales);
    for (int32_t c = 0; c < p->in_c; c += PART) {
        /* The last part may repeat channels, and the last tile a position. */
        const int32_t channel = mg_min(c, p->in_c - PART);
        dequantize(PART, 1, p->in_c, p->out_c, scales, w + channel, real);
        for (int32_t first = part.first; first < part.end; first += MG_PIXELS) {
            for (int32_t within = 0; within < PART; within += MG_TILE) {
                const float *from[MG_PIXELS];
                float *to[MG_PIXELS];
                mg_sums_f32 sums;
                MG_UNROLLED
                for (int32_t i = 0; i < MG_PIXELS; ++i) {
                    const int32_t at = mg_min(first + i, part.end - 1);
                    from[i] = dy + at * p->out_c;
                    to[i] = dx + at * p->in_c;
                }
                mg_clear_f32(MG_PIXELS, MG_TILE, sums);
                combine(MG_PIXELS, MG_TILE, p->out_c, from, real + within, PART, NULL, 0, sums);
                mg_store_f32(MG_PIXELS, MG_TILE, sums, NULL, channel + within, to);
            }
        }
    }
}
