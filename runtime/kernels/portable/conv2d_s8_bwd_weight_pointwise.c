/* Convolution, int8 input, gradient of the weights, whose window is one position: a product of
 * matrices, in tiles of one size alone. */
#include "mg_kernels.h"

#include "real_f32.h"

#include "input_s8.h"

#include "outer.h"

/* The weights of a tile from the given output and input channel of it on. */
MG_INLINE void store(const mg_conv2d_params *p, const mg_quantize_s8 *q, int32_t output,
                     int32_t input, float sums[MG_TILE][MG_TILE], const float *gathered,
                     float *dw) {
    MG_ROLLED
    for (int32_t i = output; i < MG_TILE; ++i) {
        MG_ROLLED
        for (int32_t j = input; j < MG_TILE; ++j) {
            const int32_t to = i * p->in_c + j;
            const float sum = scaled(q, sums[i][j]);
            dw[to] = gathered != NULL ? gathered[to] + sum : sum;
        }
    }
}

void mg_conv2d_s8_bwd_weight_pointwise(const mg_conv2d_params *p, const mg_quantize_s8 *q,
                                       const int8_t *x, const float *dy, const float *gathered,
                                       float *dw) {
    const int32_t positions = p->in_h * p->in_w;
    const mg_part part = mg_share(p->out_c, MG_TILE);
    for (int32_t first = 0; first < positions; first += MG_BLOCK, gathered = dw) {
        const int32_t n = mg_min(positions - first, MG_BLOCK);
        for (int32_t o = part.first; o < part.end; o += MG_TILE) {
            /* The last tiles lie over those before them. */
            const int32_t output = mg_min(o, p->out_c - MG_TILE);
            for (int32_t i = 0; i < p->in_c; i += MG_TILE) {
                const int32_t input = mg_min(i, p->in_c - MG_TILE);
                const int32_t weight = output * p->in_c + input;
                float stored[MG_TILE][MG_TILE];
                mg_sums_f32 sums;
                mg_clear_f32(MG_TILE, MG_TILE, sums);
                const float *left = dy + output;
                const int8_t *right = x + input;
                MG_ROLLED
                for (int32_t k = n; k > 0; --k) {
                    outer_step(MG_TILE, MG_TILE, &left, p->out_c, &right, p->in_c, q, sums);
                }
                MG_UNROLLED
                for (int32_t k = 0; k < MG_TILE * MG_TILE; ++k) {
                    stored[k / MG_TILE][k % MG_TILE] = sums[k / MG_TILE][k % MG_TILE];
                }
                store(p, q, o - output, i - input, stored,
                      gathered != NULL ? gathered + weight : NULL, dw + weight);
            }
        }
        x += n * p->in_c;
        dy += n * p->out_c;
    }
}
