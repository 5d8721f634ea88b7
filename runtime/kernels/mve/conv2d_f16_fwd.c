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

/* What the sums of some channels of a group start from; b: the first of them; NULL: zeros. */
static void lay_out_starts(int32_t channels, const mg_f16 *b, float *starts) {
    for (int32_t done = 0; done < channels; done += MG_HALVES) {
        const mg_halves biases =
            b != NULL ? mg_load_first(b + done, channels - done) : mg_no_halves();
        mg_store_singles(starts + done, mg_widened(biases));
    }
}

/* `count` neighbours of a block whose rows have so many. */
MG_INLINE void lay_out_vector(int row, int32_t count, int32_t products, const mg_f16 *w,
                              mg_f16 *to) {
    const mg_places apart = {products, count};
    MG_ROLLED
    for (int32_t k = 0; k < products; ++k) {
        mg_store(to, mg_load_apart(w + k, apart));
        to += row;
    }
}

/* Weights from the first of these channels on. */
static void lay_out(int32_t channels, int32_t products, const mg_f16 *w, mg_f16 *to) {
    const int32_t row = row_of(channels);
    for (int32_t done = 0; done < channels; done += MG_HALVES) {
        const mg_f16 *const from = w + done * products;
        mg_f16 *const block = to + done / row * row * products + done % row;
        if (row == MG_TILE_LANES) {
            lay_out_vector(MG_TILE_LANES, channels - done, products, from, block);
        } else {
            lay_out_vector(MG_HALVES, channels - done, products, from, block);
        }
    }
}

/* From the first of some channels of each group on, whose weights are laid out at w. */
static void convolve(float *starts, const mg_conv2d_params *p, int32_t first, int32_t count,
                     const mg_clamp_f32 *q, const mg_f16 *x, const mg_f16 *w, const mg_f16 *b,
                     mg_f16 *y) {
    mg_conv2d_params some = *p;
    some.out_c = count * p->groups;
    for (int32_t g = 0; g < p->groups; ++g) {
        lay_out_starts(count, b != NULL ? b + g * (p->out_c / p->groups) + first : NULL,
                       starts + g * width_of(count));
    }
    const ends e = {starts, mg_limits_f32(*q), mg_range_of(*q)};
    walk_forward(&some, &e, x, w, NULL, y + first, p->out_c, (mg_grid){0});
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
        for (int32_t g = 0; g < p->groups; ++g) {
            lay_out(count, products, w + (g * channels + first) * products,
                    laid.w + g * laid.w_group);
        }
        convolve(laid.starts, p, first, count, q, x, laid.w, b, y);
    }
}

size_t mg_conv2d_f16_fwd_mve_packed_scratch_size(const mg_conv2d_params *p) {
    return (size_t)(p->groups * width_of(p->out_c / p->groups)) * sizeof(float);
}

/* Weights are laid out in parts: whole blocks of all groups, then what is left of all. */
void mg_conv2d_f16_fwd_mve_packed(void *scratch, const mg_conv2d_params *p, const mg_clamp_f32 *q,
                                  const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y) {
    const int32_t channels = p->out_c / p->groups;
    int32_t count;
    for (int32_t first = 0; first < channels; first += count) {
        count = whole_or_left(channels - first);
        convolve(scratch, p, first, count, q, x, w, b, y);
        w += p->groups * width_of(count) * products_of(p);
    }
}
