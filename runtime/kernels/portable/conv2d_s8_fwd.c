/* Convolution, int8, forward: the windows of a few pixels are laid out side by side, with zeros
 * for padding, and every output channel is their product with its weights. */
#include "requantize_s8.h"

#define STEPS   8 /* of an inner loop that share its counting */
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

/* One channel: `n` products for each pixel, at most MG_EXACT_S8. */
static __attribute__((noinline)) void products(int32_t n, const mg_word_s8 *x, const int8_t *w,
                                               int32_t further, mg_sums_s8 sums) {
    mg_partial_s8 words[MG_RUN_S8];
    mg_clear_s8(words);
    MG_ROLLED
    for (const int8_t *const last = w + (uint32_t)n / STEPS * STEPS; w != last; w += STEPS) {
        MG_UNROLLED
        for (int k = 0; k < STEPS; ++k) {
            mg_add_products_s8(x + k * MG_RUN_S8, w[k], words);
            MG_KEEP_ORDER();
        }
        x += STEPS * MG_RUN_S8;
    }
    MG_ROLLED
    for (uint32_t left = (uint32_t)n % STEPS; left > 0; --left) {
        mg_add_products_s8(x, *w++, words);
        x += MG_RUN_S8;
    }
    mg_split_s8(words, further, sums);
}

static int32_t products_of(const mg_conv2d_params *p) {
    return p->kernel_h * p->kernel_w * (p->in_c / p->groups);
}

size_t mg_conv2d_s8_fwd_scratch_size(const mg_conv2d_params *p) {
    return (size_t)p->out_c * sizeof(mg_channel_s8) + (size_t)(products_of(p) * MG_RUN_S8) * 4 +
           (size_t)(p->in_c / p->groups);
}

void mg_conv2d_s8_fwd(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                      const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y) {
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const int32_t n = products_of(p), size = p->out_h * p->out_w;
    mg_channel_s8 *const channel = scratch;
    mg_word_s8 *const words = (mg_word_s8 *)(channel + p->out_c);
    int8_t *const padding = (int8_t *)(words + n * MG_RUN_S8);
    for (int32_t c = 0; c < p->out_c; ++c) {
        channel[c] = mg_channel_of_s8(q, c, b, n);
    }
    __builtin_memset(padding, q->input_zero_point, (size_t)depth);
    /* Runs may overlap; in an image of less than one, a run gives its first pixel alone. */
    const int32_t run = size < MG_RUN_S8 ? 1 : MG_RUN_S8, step = run == 1 ? 0 : p->out_c;
    for (int32_t pixel = 0; pixel < size; pixel += run * MG_WORD_PIXELS_S8) {
        int32_t runs[MG_WORD_PIXELS_S8];
        mg_places_s8 to = {.step = step, .zero_point = q->output_zero_point};
        for (int k = 0; k < MG_WORD_PIXELS_S8; ++k) {
            runs[k] = mg_min(pixel + k * run, size - run);
            to.pixel[k] = y + runs[k] * p->out_c;
        }
        const corners v = corners_of(p, runs);
        const int8_t *weights = w;
        for (int32_t g = 0; g < p->groups; ++g) {
            lay_out_windows(p, q->input_zero_point, &v, x + g * depth, padding, words);
            for (int32_t c = g * channels; c < (g + 1) * channels; ++c) {
                mg_sums_s8 sums;
                int32_t k = 0;
                do {
                    products(mg_min(n - k, MG_EXACT_S8), words + k * MG_RUN_S8, weights + k, k,
                             sums);
                    k += MG_EXACT_S8;
                } while (k < n);
                weights += n;
                mg_requantize_s8(channel + c, sums, &to, c);
            }
        }
    }
    mg_narrow_s8(q, size * p->out_c, y);
}
