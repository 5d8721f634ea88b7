/* The gradient of a half convolution's input. */
#include "backward_window.h"
#include "combine_f16.h"

static inline int32_t products_of(const mg_conv2d_params *p) {
    return p->kernel_h * p->kernel_w * (p->out_c / p->groups);
}

/* The output channels of a tap lie side by side. */
static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    const int32_t row = row_of(p->in_c / p->groups), tap = p->out_c / p->groups * row;
    mg_window v = mg_backward_window(p, rows, columns, tap, row);
    v.w_group = products_of(p) * row;
    v.w_run -= tap; /* from the end of a run */
    v.w_row -= tap;
    return v;
}

MG_INLINE void tile(int pixels, int32_t channels, const mg_window *v, const mg_clamp_f32 *q,
                    const mg_f16 *const *dy, const mg_f16 *w, const float *b, int32_t channel,
                    mg_f16 *const *dx) {
    static const float zeros[MG_TILE_LANES];
    (void)b;
    combine_block(pixels, channels, v, q, dy, w, zeros, channel, dx);
}

#include "walk.h"

/* Some input channels of a group, from the first of them on in w. */
static void lay_out(const mg_conv2d_params *p, int32_t channels, const mg_f16 *w, mg_f16 *to) {
    const int32_t depth = p->in_c / p->groups, taps = p->kernel_h * p->kernel_w;
    for (int32_t tap = 0; tap < taps; ++tap) {
        for (int32_t o = 0; o < p->out_c / p->groups; ++o) {
            for (int32_t done = 0; done < row_of(channels); done += MG_HALVES) {
                mg_store(to, mg_load_first(w + (o * taps + tap) * depth + done, channels - done));
                to += MG_HALVES;
            }
        }
    }
}

size_t mg_conv2d_f16_bwd_data_mve_scratch_size(const mg_conv2d_params *p) {
    return block_size(p, products_of(p), p->in_c / p->groups);
}

void mg_conv2d_f16_bwd_data_mve(void *scratch, const mg_conv2d_params *p, const mg_f16 *dy,
                                const mg_f16 *w, mg_f16 *dx) {
    const int32_t depth = p->in_c / p->groups, products = products_of(p);
    for (int32_t first = 0; first < depth; first += MG_TILE_LANES) {
        const int32_t count = mg_min(depth - first, MG_TILE_LANES);
        mg_f16 *const block = scratch;
        mg_conv2d_params part = *p;
        part.in_c = count * p->groups;
        for (int32_t g = 0; g < p->groups; ++g) {
            lay_out(p, count, w + g * products * depth + first,
                    block + g * products * row_of(count));
        }
        walk_backward(&part, NULL, dy, block, dx + first, p->in_c);
    }
}
