/* Convolution, int8, forward: the windows of a few pixels are laid out side by side, with zeros
 * for padding, and every output channel is their product with its weights. */
#include "requantize_s8.h"
#include "span.h"

#define PIXELS MG_TILE_PIXELS_S8

/* n further inputs of each pixel's window. */
static mg_word_s8 *lay_out(int32_t n, const int8_t *const *x, int32_t zero_point, mg_word_s8 *to) {
    const int8_t *from[PIXELS];
    for (int i = 0; i < PIXELS; ++i) {
        from[i] = x[i];
    }
    MG_ROLLED
    for (int32_t k = 0; k < n; ++k) {
        MG_UNROLLED
        for (int i = 0; i < MG_TILE_WORDS_S8; ++i) {
            to[i] = mg_word(from + i * MG_WORD_PIXELS_S8, k, zero_point);
        }
        to += MG_TILE_WORDS_S8;
    }
    return to;
}

/* The windows of pixels; `padding`: as many zero points as a tap has inputs. */
static void lay_out_windows(const mg_conv2d_params *p, int32_t zero_point, const int8_t *x,
                            const int8_t *padding, const int32_t *rows, const int32_t *columns,
                            mg_word_s8 *to) {
    const int32_t depth = p->in_c / p->groups;
    int inside = p->dilation_w == 1 && p->groups == 1; /* rows of taps are contiguous */
    for (int i = 0; i < PIXELS; ++i) {
        inside &= columns[i] >= 0 && columns[i] + p->kernel_w <= p->in_w && rows[i] >= 0 &&
                  rows[i] + (p->kernel_h - 1) * p->dilation_h < p->in_h;
    }
    const int32_t taps = inside ? 1 : p->kernel_w;
    const int32_t run = inside ? p->kernel_w * depth : depth;
    for (int32_t ky = 0; ky < p->kernel_h; ++ky) {
        for (int32_t kx = 0; kx < taps; ++kx) {
            const int8_t *from[PIXELS];
            for (int i = 0; i < PIXELS; ++i) {
                const int32_t row = rows[i] + ky * p->dilation_h;
                const int32_t column = columns[i] + kx * p->dilation_w;
                const int meets = row >= 0 && row < p->in_h && column >= 0 && column < p->in_w;
                from[i] = meets ? x + (row * p->in_w + column) * p->in_c : padding;
            }
            to = lay_out(run, from, zero_point, to);
        }
    }
}

/* One channel: n products for each pixel. */
MG_INLINE void products(int32_t n, const mg_word_s8 *x, const int8_t *w, int32_t *pixels) {
    int further = 0;
    do {
        const int32_t part = mg_min(n, MG_EXACT_S8);
        const int8_t *const end = w + part;
        mg_partial_s8 sums[MG_TILE_WORDS_S8];
        mg_clear_s8(sums);
        MG_ROLLED
        for (const int8_t *const last = end - part % MG_UNROLL; w != last; w += MG_UNROLL) {
            MG_UNROLLED
            for (int k = 0; k < MG_UNROLL; ++k) {
                mg_add_products_s8(x + k * MG_TILE_WORDS_S8, w[k], sums);
                MG_KEEP_ORDER();
            }
            x += MG_UNROLL * MG_TILE_WORDS_S8;
        }
        MG_ROLLED
        while (w != end) {
            mg_add_products_s8(x, *w++, sums);
            x += MG_TILE_WORDS_S8;
        }
        mg_split_s8(sums, further, pixels);
        further = 1;
        n -= part;
    } while (n > 0);
}

size_t mg_conv2d_s8_fwd_scratch_size(const mg_conv2d_params *p) {
    const int32_t depth = p->in_c / p->groups;
    const int32_t words = p->kernel_h * p->kernel_w * depth * MG_TILE_WORDS_S8;
    return (size_t)words * 4 + (size_t)depth;
}

void mg_conv2d_s8_fwd(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                      const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y) {
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const int32_t n = p->kernel_h * p->kernel_w * depth, size = p->out_h * p->out_w;
    const int small = n <= MG_SMALL_S8;
    mg_word_s8 *const words = scratch;
    int8_t *const padding = (int8_t *)(words + n * MG_TILE_WORDS_S8);
    __builtin_memset(padding, q->input_zero_point, (size_t)depth);
    int32_t row = 0, column = 0;
    for (int32_t pixel = 0; pixel < size; pixel += PIXELS) {
        int32_t rows[PIXELS], columns[PIXELS];
        int8_t *to[PIXELS];
        for (int i = 0; i < PIXELS; ++i) {
            rows[i] = row * p->stride_h - p->pad_top;
            columns[i] = column * p->stride_w - p->pad_left;
            to[i] = y + (row * p->out_w + column) * p->out_c;
            if (pixel + i < size - 1 && ++column == p->out_w) { /* the last repeats a pixel */
                column = 0;
                row++;
            }
        }
        const int8_t *weights = w;
        for (int32_t g = 0; g < p->groups; ++g) {
            lay_out_windows(p, q->input_zero_point, x + g * depth, padding, rows, columns, words);
            const int32_t end = (g + 1) * channels;
            for (int32_t c = g * channels; c < end; ++c) {
                int32_t sums[PIXELS];
                products(n, words, weights, sums);
                mg_requantize_s8(PIXELS, small, q, c, b, sums, to);
                weights += n;
            }
        }
    }
    mg_narrow_s8(q, size * p->out_c, y);
}
