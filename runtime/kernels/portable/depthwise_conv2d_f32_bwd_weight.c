/* Depthwise convolution, float, gradient of the weights. */
#include "depthwise_conv2d_window.h"
#include "slide_weight_f32.h"
#include "tile_f32.h"

/* One tap of neighbouring output channels, over the positions where it lies inside the image. */
MG_INLINE void tile(int channels, const mg_conv2d_params *p, const mg_span *rows,
                    const mg_span *columns, const float *x, const float *dy, const float *gathered,
                    float *dw) {
    float total[MG_TILE];
    MG_UNROLLED
    for (int j = 0; j < channels; ++j) {
        total[j] = gathered != NULL ? gathered[j] : 0.0f;
    }
    for (int32_t row = 0; row < rows->count; ++row) {
        const float *from =
            x + ((rows->source + row * p->stride_h) * p->in_w + columns->source) * p->in_c;
        const float *by = dy + ((rows->first + row) * p->out_w + columns->first) * p->out_c;
        float sums[MG_TILE] = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int32_t column = columns->count; column > 0; --column) {
            MG_UNROLLED
            for (int j = 0; j < channels; ++j) {
                sums[j] += from[j] * by[j];
            }
            from += p->stride_w * p->in_c;
            by += p->out_c;
        }
        MG_UNROLLED
        for (int j = 0; j < channels; ++j) {
            total[j] += sums[j];
        }
    }
    MG_UNROLLED
    for (int j = 0; j < channels; ++j) {
        dw[j] = total[j];
    }
}

void mg_depthwise_conv2d_f32_bwd_weight(const mg_conv2d_params *p, const float *x, const float *dy,
                                        const float *gathered, float *dw) {
    if (mg_slides(p, p->in_h, p->in_w, p->out_h, p->pad_top)) {
        for (int32_t i = 0; i < 9 * p->in_c; ++i) {
            dw[i] = gathered != NULL ? gathered[i] : 0.0f;
        }
        mg_slide_weight_f32(p, x, dy, dw);
        return;
    }
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const int32_t multiplier = p->out_c / p->in_c;
    for (int32_t tap = 0; tap < p->kernel_h * p->kernel_w; ++tap) {
        const mg_span rows = mg_tap_span(&down, tap / p->kernel_w);
        const mg_span columns = mg_tap_span(&across, tap % p->kernel_w);
        for (int32_t c = 0; c < p->out_c;) {
            const int32_t at = tap * p->out_c + c;
            const float *const from = x + c / multiplier, *const by = dy + c;
            const float *const base = gathered != NULL ? gathered + at : NULL;
            if (multiplier == 1 && p->out_c - c >= MG_TILE) {
                tile(MG_TILE, p, &rows, &columns, from, by, base, dw + at);
                c += MG_TILE;
            } else {
                tile(1, p, &rows, &columns, from, by, base, dw + at);
                c++;
            }
        }
    }
}
