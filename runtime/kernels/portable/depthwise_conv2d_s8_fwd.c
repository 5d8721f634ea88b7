/* Depthwise convolution, int8, forward: a channel's inputs are laid out as a plane with zeros for
 * padding, in which every tap of neighbouring results is a run of words. */
#include "requantize_s8.h"
#include "span.h"

#define STEPS     3    /* of the inner loop that share its counting; a divisor of 9 */
#define MAX_WORDS 1024 /* of a plane, unless the window of one row of results needs more */

/* Rows of the padded image; within a row every stride_w-th column side by side, so that what
 * neighbouring results meet with the same tap are neighbours too. Where a word has a second pixel,
 * it is that of the results `half` rows below. */
typedef struct {
    int32_t width, row, rows; /* words of one phase of the stride and of a row; rows */
    int32_t results, half;    /* rows of results that it serves at once, and of all first pixels */
} plane;

typedef struct {
    int32_t step, w; /* step: in words, from the tap before */
} tap;

static plane plane_of(const mg_conv2d_params *p, int32_t pixels) {
    const int32_t width =
        p->out_w + MG_RUN_S8 - 1 + (p->kernel_w - 1) * p->dilation_w / p->stride_w;
    const int32_t row = width * p->stride_w, reach = (p->kernel_h - 1) * p->dilation_h;
    const int32_t half = mg_ceil_div(p->out_h, pixels);
    const int32_t more = mg_max(MAX_WORDS / row - reach - 1, 0) / p->stride_h;
    const int32_t results = mg_min(half, 1 + more);
    return (plane){width, row, reach + 1 + (results - 1) * p->stride_h, results, half};
}

/* The computer that asks may have words of another size than the target. */
size_t mg_depthwise_conv2d_s8_fwd_scratch_size(const mg_conv2d_params *p) {
    const plane one = plane_of(p, 1), two = plane_of(p, 2);
    const int32_t words = mg_max(one.rows * one.row * 2, two.rows * two.row * 4);
    return (size_t)(p->kernel_h * p->kernel_w) * sizeof(tap) + (size_t)words;
}

/* The plane from row `top` of the image on, which may lie above it; x: of one channel. */
static void lay_out(const mg_conv2d_params *p, const plane *v, int32_t zero_point, const int8_t *x,
                    int32_t top, mg_word_s8 *words) {
    const int8_t padding = (int8_t)zero_point;
    for (int32_t phase = 0; phase < p->stride_w; ++phase, words += v->width) {
        const int32_t left = mg_ceil_div(mg_max(p->pad_left - phase, 0), p->stride_w);
        const int32_t column = left * p->stride_w + phase - p->pad_left;
        const int32_t inside = mg_ceil_div(p->in_w - column, p->stride_w);
        const int32_t count = mg_min(inside, v->width - left);
        mg_word_s8 *to = words + left;
        for (int32_t row = top; row < top + v->rows; ++row, to += v->row) {
            const int8_t *from[2];
            int32_t steps[2];
            for (int k = 0; k < 2; ++k) {
                const int32_t at = row + k * v->half * p->stride_h;
                const int meets = at >= 0 && at < p->in_h;
                from[k] = meets ? x + (at * p->in_w + column) * p->in_c : &padding;
                steps[k] = meets ? p->stride_w * p->in_c : 0;
            }
            for (int32_t i = 0; i < count; ++i) {
                to[i] = mg_word(from, 1, 0, zero_point);
                from[0] += steps[0];
                from[1] += steps[1];
            }
        }
    }
}

/* `n` taps of a run of results, at most MG_EXACT_S8; gives the place of the last. */
static __attribute__((noinline)) const mg_word_s8 *
products(int32_t n, const tap *taps, const mg_word_s8 *x, int32_t further, mg_sums_s8 sums) {
    mg_partial_s8 words[MG_RUN_S8];
    mg_clear_s8(words);
    MG_ROLLED
    for (const tap *const last = taps + (uint32_t)n / STEPS * STEPS; taps != last; taps += STEPS) {
        MG_UNROLLED
        for (int k = 0; k < STEPS; ++k) {
            x += taps[k].step;
            mg_add_products_s8(x, taps[k].w, words);
            MG_KEEP_ORDER();
        }
    }
    MG_ROLLED
    for (uint32_t left = (uint32_t)n % STEPS; left > 0; --left, ++taps) {
        x += taps->step;
        mg_add_products_s8(x, taps->w, words);
    }
    mg_split_s8(words, further, sums);
    return x;
}

/* One row of results, and the one `half` rows below; x: the row's place in the plane. */
static void result_row(const mg_conv2d_params *p, int32_t zero_point, const plane *v,
                       const mg_channel_s8 *channel, const tap *taps, const mg_word_s8 *x,
                       int32_t row, int8_t *y) {
    const int32_t n = p->kernel_h * p->kernel_w;
    /* Runs may overlap; in an image narrower than one, a run gives its first result alone. */
    const int32_t run = p->out_w < MG_RUN_S8 ? 1 : MG_RUN_S8, step = run == 1 ? 0 : p->out_c;
    mg_places_s8 to = {.step = step, .zero_point = zero_point};
    for (int k = 0; k < MG_WORD_PIXELS_S8; ++k) {
        const int32_t below = row + k * v->half < p->out_h ? row + k * v->half : row;
        to.pixel[k] = y + below * p->out_w * p->out_c;
    }
    for (int32_t column = 0; column < p->out_w; column += run) {
        const int32_t at = mg_min(column, p->out_w - run);
        mg_sums_s8 sums;
        const mg_word_s8 *from = x + at;
        int32_t k = 0;
        do {
            from = products(mg_min(n - k, MG_EXACT_S8), taps + k, from, k, sums);
            k += MG_EXACT_S8;
        } while (k < n);
        mg_requantize_s8(channel, sums, &to, at * p->out_c);
    }
}

void mg_depthwise_conv2d_s8_fwd(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                                const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y) {
    const plane v = plane_of(p, MG_WORD_PIXELS_S8);
    const int32_t n = p->kernel_h * p->kernel_w, multiplier = p->out_c / p->in_c;
    tap *const taps = scratch;
    mg_word_s8 *const words = (mg_word_s8 *)(taps + n);
    __builtin_memset(words, 0, (size_t)(v.rows * v.row) * sizeof *words);
    int32_t place = 0;
    for (int32_t k = 0; k < n; ++k) {
        const int32_t down = k / p->kernel_w * p->dilation_h;
        const int32_t across = k % p->kernel_w * p->dilation_w;
        const int32_t phase = across % p->stride_w;
        const int32_t next = down * v.row + phase * v.width + across / p->stride_w;
        taps[k].step = next - place;
        place = next;
    }
    for (int32_t c = 0; c < p->out_c; ++c) {
        const mg_channel_s8 channel = mg_channel_of_s8(q, c, b, n);
        for (int32_t k = 0; k < n; ++k) {
            taps[k].w = w[k * p->out_c + c];
        }
        for (int32_t top = 0; top < v.half; top += v.results) {
            lay_out(p, &v, q->input_zero_point, x + c / multiplier, top * p->stride_h - p->pad_top,
                    words);
            const int32_t end = mg_min(top + v.results, v.half);
            const mg_word_s8 *from = words;
            for (int32_t r = top; r < end; ++r) {
                result_row(p, q->output_zero_point, &v, &channel, taps, from, r, y + c);
                from += p->stride_h * v.row;
            }
        }
    }
    mg_narrow_s8(q, p->out_h * p->out_w * p->out_c, y);
}
