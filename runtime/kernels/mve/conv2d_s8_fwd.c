/* Convolution, int8, forward. The windows of two pixels are laid out one behind the other.
 * Thirty-two elements of both stay in registers while the weights of all channels pass by; sums are
 * in memory until they are complete. */
#include "mve_s8.h"
#include "span.h"

#define ELEMENT int8_t
#define LAID    place
#define PIXELS  2
#define RUNS    1
#define RUN     PIXELS

/* In the first window; pixel: bytes from one window to the next. */
typedef struct {
    int8_t *at;
    int32_t pixel;
} place;

static place lay_out(int32_t n, const int8_t *const *x, int32_t zero_point, place to) {
    (void)zero_point;
    MG_UNROLLED
    for (int i = 0; i < PIXELS; ++i) {
        int8_t *const window = to.at + i * to.pixel;
        MG_ROLLED
        for (int32_t k = 0; k < n; k += MG_BYTES) {
            mg_store_first_bytes(window + k, mg_load_first_bytes(x[i] + k, n - k), n - k);
        }
    }
    to.at += n;
    return to;
}

#include "windows.h"

#define CHUNK (2 * MG_BYTES)

/* Four channels: what is added to their sums, and how they become int8. */
typedef struct {
    int32_t start[MG_WORDS];
    mg_rescaling end;
} quad;

static inline int32_t products_of(const mg_conv2d_params *p) {
    return p->kernel_h * p->kernel_w * (p->in_c / p->groups);
}

/* Adds the products of some elements with all channels: so many vectors, of which the last has
 * `rest`; whole: no fewer than it can have; first: nothing has been summed before. */
MG_INLINE void add_chunk(int vectors, int whole, int first, int32_t rest, int32_t products,
                         int32_t channels, const int8_t *x, const int8_t *next, const int8_t *w,
                         int32_t *sums) {
    mg_bytes window[2], other[2];
    MG_UNROLLED
    for (int v = 0; v < vectors; ++v) {
        window[v] = mg_load_bytes(x + v * MG_BYTES);
        other[v] = mg_load_bytes(next + v * MG_BYTES);
    }
    MG_ROLLED
    for (; channels > 0; --channels) {
        int32_t sum = first ? 0 : sums[0], second = first ? 0 : sums[1];
        MG_UNROLLED
        for (int v = 0; v < vectors; ++v) {
            const int8_t *const from = w + v * MG_BYTES;
            const mg_bytes weights =
                whole || v < vectors - 1 ? mg_load_bytes(from) : mg_load_first_bytes(from, rest);
            sum = mg_add_dot(sum, window[v], weights);
            second = mg_add_dot(second, other[v], weights);
        }
        sums[0] = sum;
        sums[1] = second;
        sums += PIXELS;
        w += products;
    }
}

MG_INLINE void add_all(int first, int32_t left, int32_t products, int32_t channels, const int8_t *x,
                       const int8_t *next, const int8_t *w, int32_t *sums) {
    if (left >= CHUNK) {
        add_chunk(2, 1, first, MG_BYTES, products, channels, x, next, w, sums);
    } else if (left > MG_BYTES) {
        add_chunk(2, 0, first, left - MG_BYTES, products, channels, x, next, w, sums);
    } else {
        add_chunk(1, 0, first, left, products, channels, x, next, w, sums);
    }
}

/* sums[c][i]: of the products of window i with the weights of channel c, which are rows. */
MG_APART void dots(int32_t products, int32_t channels, const int8_t *x, const int8_t *next,
                   const int8_t *w, int32_t *sums) {
    add_all(1, products, products, channels, x, next, w, sums);
    MG_ROLLED
    for (int32_t k = CHUNK; k < products; k += CHUNK) {
        add_all(0, products - k, products, channels, x + k, next + k, w + k, sums);
    }
}

/* The results of sums. */
MG_INLINE void finish(int shifts_right, int32_t channels, const quad *c, const int32_t *sums,
                      mg_ends_s8 ends, int8_t *y, int8_t *next) {
    MG_ROLLED
    for (; channels > 0; channels -= MG_WORDS) {
        const mg_words start = mg_load_words(c->start);
        mg_words both[PIXELS];
        mg_load_pairs_of_words(sums, both);
        both[0] = mg_add_words(both[0], start);
        both[1] = mg_add_words(both[1], start);
        if (shifts_right) {
            mg_shift_right(PIXELS, &c->end, both);
        } else {
            mg_rescale(PIXELS, &c->end, both);
        }
        mg_store_words(next, both[1], ends, channels); /* which may be y */
        mg_store_words(y, both[0], ends, channels);
        c++;
        sums += PIXELS * MG_WORDS;
        y += MG_WORDS;
        next += MG_WORDS;
    }
}

static inline int32_t quads_of(const mg_conv2d_params *p) {
    return mg_ceil_div(p->out_c / p->groups, MG_WORDS);
}

static int32_t sum_of(int32_t n, const int8_t *w) {
    int32_t sum = 0;
    for (int32_t k = 0; k < n; ++k) {
        sum += w[k];
    }
    return sum;
}

/* Gives whether all channels are shifted to the right. */
static int prepare(const mg_conv2d_params *p, const mg_requant_s8 *q, const int8_t *w,
                   const int32_t *b, quad *to) {
    const int32_t channels = p->out_c / p->groups, products = products_of(p);
    int shifts_right = 1;
    __builtin_memset(to, 0, (size_t)(p->groups * quads_of(p)) * sizeof *to);
    for (int32_t c = 0; c < p->out_c; ++c) {
        quad *const four = to + c / channels * quads_of(p) + c % channels / MG_WORDS;
        const int32_t lane = c % channels % MG_WORDS, shift = q->shift[c];
        const uint32_t moved =
            (uint32_t)q->input_zero_point * (uint32_t)sum_of(products, w + c * products);
        four->start[lane] = (int32_t)((b != NULL ? (uint32_t)b[c] : 0) - moved);
        four->end.multiplier[lane] = q->multiplier[c];
        four->end.left[lane] = mg_max(shift, 0);
        four->end.right[lane] = mg_min(shift, 0);
        shifts_right &= shift < 0;
    }
    return shifts_right;
}

/* Bytes of a window with those that fill up its last vectors. */
static inline int32_t window_bytes(const mg_conv2d_params *p) {
    return mg_ceil_div(products_of(p), MG_BYTES) * MG_BYTES;
}

/* Whether a window is the channels of the pixel itself, in full vectors. */
static inline int windows_are_there(const mg_conv2d_params *p) {
    return p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 && p->stride_w == 1 &&
           p->pad_top == 0 && p->pad_left == 0 && p->in_h == p->out_h && p->in_w == p->out_w &&
           products_of(p) % MG_BYTES == 0;
}

size_t mg_conv2d_s8_fwd_mve_scratch_size(const mg_conv2d_params *p) {
    return (size_t)(p->groups * quads_of(p)) * sizeof(quad) +
           (size_t)(quads_of(p) * MG_WORDS * PIXELS) * sizeof(int32_t) +
           (size_t)(PIXELS * window_bytes(p) + p->in_c / p->groups);
}

void mg_conv2d_s8_fwd_mve(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                          const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y) {
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const int32_t last = p->out_h * p->out_w - 1, products = products_of(p);
    quad *const quads = scratch;
    int32_t *const sums = (int32_t *)(quads + p->groups * quads_of(p));
    const place windows = {(int8_t *)(sums + quads_of(p) * MG_WORDS * PIXELS), window_bytes(p)};
    int8_t *const next = windows.at + windows.pixel, *const padding = next + windows.pixel;
    const mg_ends_s8 ends = {q->output_zero_point, q->low, q->high};
    const int in_place = windows_are_there(p), shifts_right = prepare(p, q, w, b, quads);
    __builtin_memset(padding, q->input_zero_point, (size_t)depth);
    for (int32_t pixel = 0; pixel <= last; pixel += PIXELS) {
        const int32_t second = mg_min(pixel + 1, last);
        for (int32_t g = 0; g < p->groups; ++g) {
            const int32_t channel = g * channels;
            const int8_t *const image = x + g * depth, *weights = w + channel * products;
            int8_t *const to = y + channel;
            if (in_place) {
                dots(products, channels, image + pixel * p->in_c, image + second * p->in_c, weights,
                     sums);
            } else {
                const corners at = corners_of(p, &pixel);
                lay_out_windows(p, 0, &at, image, padding, windows);
                dots(products, channels, windows.at, next, weights, sums);
            }
            if (shifts_right) {
                finish(1, channels, quads + g * quads_of(p), sums, ends, to + pixel * p->out_c,
                       to + second * p->out_c);
            } else {
                finish(0, channels, quads + g * quads_of(p), sums, ends, to + pixel * p->out_c,
                       to + second * p->out_c);
            }
        }
    }
}
