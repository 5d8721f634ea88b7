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

/* A vector of neighbours for the output channels of a tap: w, from channel to channel and from one
 * output to the next. */
MG_INLINE mg_f16 *lay_out_outputs(int32_t count, int32_t outputs, const mg_f16 *w, int32_t apart,
                                  int32_t step, int32_t row, mg_f16 *to) {
    const mg_places places = {apart, count};
    MG_ROLLED
    for (int32_t o = 0; o < outputs; ++o) {
        mg_store(to, apart == 1 ? mg_load_first(w, count) : mg_load_apart(w, places));
        w += step;
        to += row;
    }
    return to;
}

/* Some input channels of group g, from `first` on, of weights as they are stored. */
static void lay_out(const mg_conv2d_params *p, int32_t g, int32_t first, int32_t channels,
                    const mg_f16 *w, mg_f16 *to) {
    const int32_t row = row_of(channels), outputs = p->out_c / p->groups;
    const int32_t depth = p->in_c / p->groups, taps = p->kernel_h * p->kernel_w;
    w += g * outputs * taps * depth + first;
    for (int32_t done = 0; done < channels; done += MG_HALVES) {
        mg_f16 *block = to + done / row * row * products_of(p) + done % row;
        for (int32_t tap = 0; tap < taps; ++tap) {
            block = lay_out_outputs(channels - done, outputs, w + tap * depth + done, 1,
                                    taps * depth, row, block);
        }
    }
}

/* The same of weights that are packed for the forward pass: whole blocks of outputs, then those
 * that are left of all groups. */
static void lay_out_packed(const mg_conv2d_params *p, int32_t g, int32_t first, int32_t channels,
                           const mg_f16 *w, mg_f16 *to) {
    const int32_t row = row_of(channels), outputs = p->out_c / p->groups;
    const int32_t depth = p->in_c / p->groups, taps = p->kernel_h * p->kernel_w;
    for (int32_t done = 0; done < channels; done += MG_HALVES) {
        mg_f16 *block = to + done / row * row * products_of(p) + done % row;
        for (int32_t tap = 0; tap < taps; ++tap) {
            const mg_f16 *part = w;
            int32_t part_count;
            for (int32_t o = 0; o < outputs; o += part_count) {
                part_count = whole_or_left(outputs - o);
                const int32_t part_row = row_of(part_count), width = width_of(part_count);
                const mg_f16 *from =
                    part + g * width * taps * depth + (tap * depth + first + done) * part_row;
                for (int32_t left = part_count; left > 0; left -= part_row) {
                    block = lay_out_outputs(channels - done, mg_min(left, part_row), from, part_row,
                                            1, row, block);
                    from += taps * depth * part_row;
                }
                part += p->groups * width * taps * depth;
            }
        }
    }
}

/* How weights come to where they are laid out. */
typedef void lay_out_part(const mg_conv2d_params *p, int32_t g, int32_t first, int32_t channels,
                          const mg_f16 *w, mg_f16 *to);

MG_APART void differentiate(lay_out_part *laying, void *scratch, const mg_conv2d_params *p,
                            const mg_f16 *dy, const mg_f16 *w, mg_f16 *dx) {
    const int32_t depth = p->in_c / p->groups, products = products_of(p);
    int32_t count;
    for (int32_t first = 0; first < depth; first += count) {
        count = part_of(products, depth - first);
        const part laid = lay_out_at(scratch, p->groups, products, count);
        mg_conv2d_params some = *p;
        some.in_c = count * p->groups;
        for (int32_t done = 0; done < p->groups * width_of(count); done += MG_HALVES) {
            mg_store_singles(laid.starts + done, mg_widened(mg_no_halves()));
        }
        for (int32_t g = 0; g < p->groups; ++g) {
            laying(p, g, first, count, w, laid.w + g * laid.w_group);
        }
        const ends e = {laid.starts, 0, {0, 0}};
        walk_backward(&some, &e, dy, laid.w, dx + first, p->in_c, (mg_grid){0});
    }
}

size_t mg_conv2d_f16_bwd_data_mve_scratch_size(const mg_conv2d_params *p) {
    return part_size(p->groups, products_of(p), p->in_c / p->groups);
}

void mg_conv2d_f16_bwd_data_mve(void *scratch, const mg_conv2d_params *p, const mg_f16 *dy,
                                const mg_f16 *w, mg_f16 *dx) {
    differentiate(lay_out, scratch, p, dy, w, dx);
}

size_t mg_conv2d_f16_bwd_data_mve_packed_scratch_size(const mg_conv2d_params *p) {
    return mg_conv2d_f16_bwd_data_mve_scratch_size(p);
}

void mg_conv2d_f16_bwd_data_mve_packed(void *scratch, const mg_conv2d_params *p, const mg_f16 *dy,
                                       const mg_f16 *w, mg_f16 *dx) {
    differentiate(lay_out_packed, scratch, p, dy, w, dx);
}
