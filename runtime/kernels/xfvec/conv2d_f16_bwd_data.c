/* The gradient of a convolution's input in half precision: correlations of dy with the weights of
 * a few input channels at a time, turned so that those of an input channel lie side by side. */
#include "correlate.h"
#include "phase.h"

#define TURNED 8192 /* halves of weights, unless those of four channels are more */

/* What a correlation with all taps of w looks at. */
static mg_conv2d_params widest(const mg_conv2d_params *p) {
    mg_conv2d_params all = *p;
    all.in_c = p->out_c;
    return all;
}

static int32_t turned_channels(const mg_conv2d_params *p) {
    const mg_conv2d_params all = widest(p);
    return mg_min(mg_max(TURNED / mg_even(mg_products(&all)) & -4, 4), p->in_c);
}

size_t mg_conv2d_f16_bwd_data_xfvec_scratch_size(const mg_conv2d_params *p) {
    const mg_conv2d_params all = widest(p);
    const int32_t turned = turned_channels(p) * mg_even(mg_products(&all));
    return (mg_windows_size(&all) + (size_t)turned) * sizeof(mg_f16);
}

/* Turns what the phases' taps have of these channels, last tap first. */
static void turn_taps(const mg_conv2d_params *p, const mg_phase *rows, const mg_phase *columns,
                      int32_t channels, const mg_f16 *w, mg_f16 *to) {
    const int32_t depth = p->in_c, taps = p->kernel_h * p->kernel_w;
    const int32_t n = rows->taps * columns->taps * p->out_c, row = mg_even(n);
    for (int32_t c = 0; n != row && c < channels; ++c) {
        to[c * row + n] = 0;
    }
    for (int32_t y = 0; y < rows->taps; ++y) {
        for (int32_t x = 0; x < columns->taps; ++x, to += p->out_c) {
            const int32_t down = rows->last - y * rows->step;
            const int32_t across = columns->last - x * columns->step;
            mg_turn_halves(p->out_c, channels, w + (down * p->kernel_w + across) * depth,
                           taps * depth, to, row);
        }
    }
}

/* What no tap meets. */
static void clear(const mg_conv2d_params *p, const mg_spread *y) {
    for (int32_t down = 0; down < p->out_h; ++down) {
        for (int32_t across = 0; across < p->out_w; ++across) {
            mg_clear_halves(p->out_c, y->first + down * y->row + across * y->column);
        }
    }
}

void mg_conv2d_f16_bwd_data_xfvec(void *scratch, const mg_conv2d_params *p, const mg_f16 *dy,
                                  const mg_f16 *w, mg_f16 *dx) {
    const mg_axis down = mg_rows(p), across = mg_columns(p);
    const mg_conv2d_params all = widest(p);
    const int32_t most = turned_channels(p);
    mg_f16 *const turned = (mg_f16 *)scratch + mg_windows_size(&all);
    for (int32_t channel = 0; channel < p->in_c; channel += most) {
        const int32_t channels = mg_min(p->in_c - channel, most);
        for (int32_t y = 0; y < mg_min(p->stride_h, p->in_h); ++y) {
            for (int32_t x = 0; x < mg_min(p->stride_w, p->in_w); ++x) {
                const mg_phase vertical = mg_phase_of(&down, y);
                const mg_phase horizontal = mg_phase_of(&across, x);
                mg_conv2d_params part = mg_phases(p, &vertical, &horizontal);
                part.out_c = channels;
                const mg_spread to = {dx + (y * p->in_w + x) * p->in_c + channel,
                                      p->stride_h * p->in_w * p->in_c, p->stride_w * p->in_c};
                if (mg_products(&part) == 0) {
                    clear(&part, &to);
                } else {
                    turn_taps(p, &vertical, &horizontal, channels, w + channel, turned);
                    mg_correlate(&part, NULL, scratch, dy, turned, NULL, &to);
                }
            }
        }
    }
}
