/* Convolution, half, forward. */
#include "combine_f16.h"
#include "conv2d_window.h"

static inline int32_t products_of(const mg_conv2d_params *p) {
    return p->kernel_h * p->kernel_w * (p->in_c / p->groups);
}

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    const int32_t row = row_of(p->out_c / p->groups);
    mg_window v = mg_conv2d_window(p, rows, columns, 1, row);
    v.w_group = products_of(p) * row;
    return v;
}

MG_INLINE void tile(int pixels, int32_t channels, const mg_window *v, const mg_clamp_f32 *q,
                    const mg_f16 *const *x, const mg_f16 *w, const float *starts, int32_t channel,
                    mg_f16 *const *y) {
    const float *const start = starts + channel / channels * row_of(channels);
    combine_block(pixels, channels, v, q, x, w, start, channel, y);
}

#include "walk.h"

/* Some channels of a group: w and b from the first of them on; b NULL: zeros. */
static void lay_out(int32_t channels, int32_t products, const mg_f16 *w, const mg_f16 *b,
                    float *starts, mg_f16 *to) {
    for (int32_t done = 0; done < row_of(channels); done += MG_HALVES) {
        const mg_places at = {products, mg_min(channels - done, MG_HALVES)};
        const mg_halves start = b != NULL ? mg_load_first(b + done, at.count) : mg_no_halves();
        mg_singles zeros;
        __builtin_memset(&zeros, 0, sizeof zeros);
        mg_store_singles(starts + done, mg_add_halves(zeros, start));
        MG_ROLLED
        for (int32_t k = 0; k < products; ++k) {
            mg_store(to + done + k * row_of(channels), mg_load_apart(w + done * products + k, at));
        }
    }
}

size_t mg_conv2d_f16_fwd_mve_scratch_size(const mg_conv2d_params *p) {
    return block_size(p, products_of(p), p->out_c / p->groups);
}

void mg_conv2d_f16_fwd_mve(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                           const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y) {
    const int32_t channels = p->out_c / p->groups, products = products_of(p);
    for (int32_t first = 0; first < channels; first += MG_TILE_LANES) {
        const int32_t count = mg_min(channels - first, MG_TILE_LANES), row = row_of(count);
        float *const starts = scratch;
        mg_f16 *const block = (mg_f16 *)(starts + p->groups * row);
        mg_conv2d_params part = *p;
        part.out_c = count * p->groups;
        for (int32_t g = 0; g < p->groups; ++g) {
            const int32_t channel = g * channels + first;
            lay_out(count, products, w + channel * products, b != NULL ? b + channel : NULL,
                    starts + g * row, block + g * products * row);
        }
        walk_forward_part(&part, mg_limits_f32(*q) ? q : NULL, x, block, starts, y + first,
                          p->out_c);
    }
}
