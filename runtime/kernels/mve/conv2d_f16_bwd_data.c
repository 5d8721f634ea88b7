/* The gradient of a half convolution's input. */
#include "backward_window.h"
#include "combine_f16.h"

static inline int32_t products_of(const mg_conv2d_params *p) {
    return p->kernel_h * p->kernel_w * (p->out_c / p->groups);
}

/* The output channels of a tap lie side by side. */
static inline mg_window window_of(const mg_conv2d_params *p, const mg_span *rows,
                                  const mg_span *columns) {
    const int32_t channels = p->in_c / p->groups, row = row_of(channels);
    const int32_t tap = p->out_c / p->groups * row;
    mg_window v = mg_backward_window(p, rows, columns, tap, row);
    v.w_channel = products_of(p) * row;
    v.w_group = mg_ceil_div(channels, row) * v.w_channel;
    v.w_run -= tap; /* from the end of a run */
    v.w_row -= tap;
    return v;
}

#include "walk.h"

/* Some input channels of a group, from the first of them on in w. */
static void lay_out(const mg_conv2d_params *p, int32_t channels, const mg_f16 *w, float *starts,
                    mg_f16 *to) {
    const int32_t row = row_of(channels), outputs = p->out_c / p->groups;
    const int32_t depth = p->in_c / p->groups, taps = p->kernel_h * p->kernel_w;
    for (int32_t done = 0; done < channels; done += MG_HALVES) {
        mg_f16 *block = to + done / row * row * products_of(p) + done % row;
        mg_store_singles(starts + done, mg_widened(mg_no_halves()));
        for (int32_t tap = 0; tap < taps; ++tap) {
            const mg_f16 *from = w + tap * depth + done;
            MG_ROLLED
            for (int32_t o = 0; o < outputs; ++o) {
                mg_store(block, mg_load_first(from, channels - done));
                from += taps * depth;
                block += row;
            }
        }
    }
}

size_t mg_conv2d_f16_bwd_data_mve_scratch_size(const mg_conv2d_params *p) {
    return part_size(p->groups, products_of(p), p->in_c / p->groups);
}

void mg_conv2d_f16_bwd_data_mve(void *scratch, const mg_conv2d_params *p, const mg_f16 *dy,
                                const mg_f16 *w, mg_f16 *dx) {
    const int32_t depth = p->in_c / p->groups, products = products_of(p);
    int32_t count;
    for (int32_t first = 0; first < depth; first += count) {
        count = part_of(products, depth - first);
        const part laid = lay_out_at(scratch, p->groups, products, count);
        mg_conv2d_params some = *p;
        some.in_c = count * p->groups;
        for (int32_t g = 0; g < p->groups; ++g) {
            lay_out(p, count, w + g * products * depth + first, laid.starts + g * laid.starts_group,
                    laid.w + g * laid.w_group);
        }
        const ends e = {laid.starts, 0, {0, 0}};
        walk_backward(&some, &e, dy, laid.w, dx + first, p->in_c, (mg_grid){0});
    }
}
