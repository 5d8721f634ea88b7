/* Convolution, half, forward. */
#include "combine_f16.h"
#include "conv2d_window.h"

static inline int32_t products_of(const mg_conv2d_params *p) {
    return p->kernel_h * p->kernel_w * (p->in_c / p->groups);
}

static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    const int32_t channels = p->out_c / p->groups, row = row_of(channels);
    const int32_t block = products_of(p) * row;
    mg_window v = mg_conv2d_window(p, rows, columns, block, row);
    v.w_group = mg_ceil_div(channels, row) * block;
    return v;
}

#include "walk.h"

/* Some channels of a group: w and b from the first of them on; b NULL: zeros. */
static void lay_out(int32_t channels, int32_t products, const mg_f16 *w, const mg_f16 *b,
                    float *starts, mg_f16 *to) {
    const int32_t row = row_of(channels);
    for (int32_t done = 0; done < channels; done += MG_HALVES) {
        const int32_t count = mg_min(channels - done, MG_HALVES);
        mg_store_singles(starts + done,
                         mg_widened(b != NULL ? mg_load_first(b + done, count) : mg_no_halves()));
        mg_f16 *block = to + done / row * row * products + done % row;
        MG_ROLLED
        for (int32_t k = 0; k < products; ++k) {
            mg_store(block, mg_load_apart(w + done * products + k, (mg_places){products, count}));
            block += row;
        }
    }
}

size_t mg_conv2d_f16_fwd_mve_scratch_size(const mg_conv2d_params *p) {
    return part_size(p->groups, products_of(p), p->out_c / p->groups);
}

void mg_conv2d_f16_fwd_mve(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                           const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y) {
    const int32_t channels = p->out_c / p->groups, products = products_of(p);
    int32_t count;
    for (int32_t first = 0; first < channels; first += count) {
        count = part_of(products, channels - first);
        const part laid = lay_out_at(scratch, p->groups, products, count);
        mg_conv2d_params some = *p;
        some.out_c = count * p->groups;
        for (int32_t g = 0; g < p->groups; ++g) {
            const int32_t channel = g * channels + first;
            lay_out(count, products, w + channel * products, b != NULL ? b + channel : NULL,
                    laid.starts + g * laid.starts_group, laid.w + g * laid.w_group);
        }
        const ends e = {laid.starts, mg_limits_f32(*q), mg_range_of(*q)};
        walk_forward(&some, &e, x, laid.w, NULL, y + first, p->out_c, (mg_grid){0});
    }
}
