/* The body of the gradient of a depthwise convolution's weights; its input is that of
 * input_real.h or input_s8.h, which stands before it. */
#include "depthwise_conv2d_window.h"
#include "mg_cores.h"
#include "slide_weight.h"
#include "tile_f32.h"

/* One tap of neighbouring output channels, over the positions where it lies inside the image. */
MG_INLINE void tile(int channels, const mg_conv2d_params *p, const QUANT *q, const mg_span *rows,
                    const mg_span *columns, const INPUT *x, const REAL *dy, const REAL *gathered,
                    REAL *dw) {
    float total[MG_TILE];
    MG_UNROLLED
    for (int j = 0; j < channels; ++j) {
        total[j] = gathered != NULL ? (float)gathered[j] : 0.0f;
    }
    for (int32_t row = 0; row < rows->count; ++row) {
        const INPUT *from =
            x + ((rows->source + row * p->stride_h) * p->in_w + columns->source) * p->in_c;
        const REAL *by = dy + ((rows->first + row) * p->out_w + columns->first) * p->out_c;
        float sums[MG_TILE] = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int32_t column = columns->count; column > 0; --column) {
            float inputs[MG_TILE], gradients[MG_TILE];
            mg_load_f32(channels, 2, by, gradients);
            load_inputs(channels, 0, q, from, inputs);
            MG_UNROLLED
            for (int j = 0; j < channels; ++j) {
                sums[j] += inputs[j] * gradients[j];
            }
            from += p->stride_w * p->in_c;
            by += p->out_c;
        }
        MG_UNROLLED
        for (int j = 0; j < channels; ++j) {
            total[j] += scaled(q, sums[j]);
        }
    }
    MG_UNROLLED
    for (int j = 0; j < channels; ++j) {
        dw[j] = (REAL)total[j];
    }
}

static inline void weight_gradient(const mg_conv2d_params *p, const QUANT *q, const INPUT *x,
                                   const REAL *dy, const REAL *gathered, REAL *dw) {
    if (mg_slides(p, p->in_h, p->in_w, p->out_h, p->pad_top)) {
        const mg_part part = mg_share(p->in_c, MG_LANES);
        for (int32_t tap = 0; tap < 9 * p->in_c; tap += p->in_c) {
            for (int32_t i = tap + part.first; i < tap + part.end; ++i) {
                dw[i] = gathered != NULL ? gathered[i] : (REAL)0.0f;
            }
        }
        slide_weight(p, q, x, dy, dw, part);
        return;
    }
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const int32_t multiplier = p->out_c / p->in_c;
    const mg_part part = mg_share(p->out_c, MG_TILE);
    for (int32_t tap = 0; tap < p->kernel_h * p->kernel_w; ++tap) {
        const mg_span rows = mg_tap_span(&down, tap / p->kernel_w);
        const mg_span columns = mg_tap_span(&across, tap % p->kernel_w);
        for (int32_t c = part.first; c < part.end;) {
            const int32_t at = tap * p->out_c + c;
            const INPUT *const from = x + c / multiplier;
            const REAL *const by = dy + c;
            const REAL *const base = gathered != NULL ? gathered + at : NULL;
            if (multiplier == 1 && part.end - c >= MG_TILE) {
                tile(MG_TILE, p, q, &rows, &columns, from, by, base, dw + at);
                c += MG_TILE;
            } else {
                tile(1, p, q, &rows, &columns, from, by, base, dw + at);
                c++;
            }
        }
    }
}
