/* Convolution, int8, forward: the windows of a few pixels are laid out side by side, with zeros
 * for padding, and every output channel is their product with its weights. */
#include "mg_cores.h"
#include "requantize_s8.h"

#define STEPS   8  /* of an inner loop that share its counting */
#define ROWS    32 /* channels whose sums are taken before they are made results */
#define ELEMENT int8_t
#define RUN     MG_RUN_S8
#define RUNS    MG_WORD_PIXELS_S8
#define PIXELS  (RUN * RUNS)
#define LAID    mg_word_s8 *

/* n further inputs of the pixels' windows. */
static LAID lay_out(int32_t n, const int8_t *const *x, int32_t zero_point, LAID to) {
    const int8_t *from[PIXELS];
    MG_UNROLLED
    for (int i = 0; i < PIXELS; ++i) {
        from[i] = x[i];
    }
    MG_ROLLED
    for (int32_t k = 0; k < n; ++k) {
        MG_UNROLLED
        for (int i = 0; i < MG_RUN_S8; ++i) {
            to[i] = mg_word(from + i, MG_RUN_S8, k, zero_point);
        }
        to += MG_RUN_S8;
    }
    return to;
}

#include "windows.h"

/* The sums of `channels` rows of weights, w_row from one to the next: n products for each pixel, at
 * most MG_EXACT_S8. */
MG_APART void products(int32_t n, const mg_word_s8 *x, const int8_t *w, int32_t w_row,
                       int32_t channels, int32_t further, mg_sums_s8 *sums) {
    MG_ROLLED
    for (; channels > 0; --channels, w += w_row, ++sums) {
        const int8_t *from = w;
        const mg_word_s8 *with = x;
        mg_partial_s8 words[MG_RUN_S8];
        mg_clear_s8(words);
        MG_ROLLED
        for (int32_t left = n / STEPS; left > 0; --left) {
            MG_UNROLLED
            for (int k = 0; k < STEPS; ++k) {
                mg_add_products_s8(with + k * MG_RUN_S8, from[k], words);
                MG_KEEP_ORDER();
            }
            from += STEPS;
            with += STEPS * MG_RUN_S8;
        }
        MG_ROLLED
        for (int32_t left = n % STEPS; left > 0; --left) {
            mg_add_products_s8(with, *from++, words);
            with += MG_RUN_S8;
        }
        mg_split_s8(words, further, *sums);
    }
}

static int32_t products_of(const mg_conv2d_params *p) {
    return p->kernel_h * p->kernel_w * (p->in_c / p->groups);
}

/* The computer that asks may have words of another size than the target. */
size_t mg_conv2d_s8_fwd_scratch_size(const mg_conv2d_params *p) {
    const size_t sums = (size_t)(ROWS * 2 * MG_RUN_S8) * sizeof(int32_t);
    return (size_t)p->out_c * sizeof(mg_channel_s8) + sums +
           (size_t)(products_of(p) * MG_RUN_S8) * 4 + (size_t)(p->in_c / p->groups);
}

void mg_conv2d_s8_fwd(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                      const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y) {
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const int32_t n = products_of(p), size = p->out_h * p->out_w;
    mg_channel_s8 *const channel = scratch;
    mg_sums_s8 *const sums = (mg_sums_s8 *)(channel + p->out_c);
    mg_word_s8 *const words = (mg_word_s8 *)(sums + ROWS);
    int8_t *const padding = (int8_t *)(words + n * MG_RUN_S8);
    for (int32_t c = 0; c < p->out_c; ++c) {
        channel[c] = mg_channel_of_s8(q, c, b, n);
    }
    __builtin_memset(padding, q->input_zero_point, (size_t)depth);
    const mg_part part = mg_share(size, PIXELS);
    const int32_t pixels = part.end - part.first;
    /* Runs may overlap; of less pixels than one has, a run gives its first alone. */
    const int32_t run = pixels < MG_RUN_S8 ? 1 : MG_RUN_S8, step = run == 1 ? 0 : p->out_c;
    for (int32_t pixel = part.first; pixel < part.end; pixel += run * MG_WORD_PIXELS_S8) {
        int32_t runs[MG_WORD_PIXELS_S8];
        mg_places_s8 to = {.step = step, .next = 1, .zero_point = q->output_zero_point};
        for (int k = 0; k < MG_WORD_PIXELS_S8; ++k) {
            runs[k] = mg_min(pixel + k * run, part.end - run);
            to.pixel[k] = y + runs[k] * p->out_c;
        }
        const corners v = corners_of(p, runs);
        const int8_t *weights = w;
        for (int32_t g = 0; g < p->groups; ++g) {
            lay_out_windows(p, q->input_zero_point, &v, x + g * depth, padding, words);
            const int32_t end = (g + 1) * channels;
            for (int32_t c = g * channels, count; c < end; c += count) {
                count = mg_min(end - c, ROWS);
                int32_t first = 0;
                do {
                    products(mg_min(n - first, MG_EXACT_S8), words + first * MG_RUN_S8,
                             weights + first, n, count, first, sums);
                    first += MG_EXACT_S8;
                } while (first < n);
                mg_requantize_s8(channel + c, 1, count, sums, &to);
                for (int k = 0; k < MG_WORD_PIXELS_S8; ++k) {
                    to.pixel[k] += count;
                }
                weights += count * n;
            }
        }
    }
    mg_narrow_s8(q, pixels * p->out_c, y + part.first * p->out_c);
}
