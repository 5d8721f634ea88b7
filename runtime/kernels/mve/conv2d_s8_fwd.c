/* Convolution, int8, forward. The windows of two pixels are laid out one behind the other.
 * Up to 48 elements of both stay in registers while the weights of all channels pass by; sums are
 * in memory until they are complete. */
#include "mve_s8.h"
#include "span.h"

#define PIXELS  2
#define VECTORS 3 /* of both windows leave two registers */

/* A layer: products of a window, of whose rows runs of some taps lie side by side in the image;
 * bytes of a run, of a row of the window, and from one to the next in the image; vectors of a
 * chunk; channels of a group, and quads that hold them. */
typedef struct {
    int32_t products, taps, depth, run, row, down, vectors, channels, quads, zero_point;
} layer;

static layer layer_of(const mg_conv2d_params *p, int32_t zero_point) {
    const int32_t depth = p->in_c / p->groups, row = p->kernel_w * depth;
    const int32_t taps = p->dilation_w == 1 && p->groups == 1 ? p->kernel_w : 1;
    const int32_t products = p->kernel_h * row, all = mg_ceil_div(products, MG_BYTES);
    return (layer){
        .products = products,
        .taps = taps,
        .depth = depth,
        .run = taps * depth,
        .row = row,
        .down = p->dilation_h * p->in_w * p->in_c,
        .vectors = mg_ceil_div(all, mg_ceil_div(all, VECTORS)), /* much the same in each */
        .channels = p->out_c / p->groups,
        .quads = mg_ceil_div(p->out_c / p->groups, MG_WORDS),
        .zero_point = zero_point,
    };
}

static inline void copy(int32_t n, const int8_t *x, int8_t *to) {
    for (int32_t k = 0; k < n; k += MG_BYTES) {
        mg_store_first_bytes(to + k, mg_load_first_bytes(x + k, n - k), n - k);
    }
}

/* The window of a pixel, with padding for what lies outside. */
MG_APART void lay_out_window(const mg_conv2d_params *p, const layer *l, int32_t pixel,
                             const int8_t *x, mg_bytes padding, int8_t *to) {
    const int32_t top = pixel / p->out_w * p->stride_h - p->pad_top, run = l->run;
    const int32_t end = top + p->kernel_h * p->dilation_h;
    int32_t column = pixel % p->out_w * p->stride_w - p->pad_left;
    for (int32_t k = 0; k < p->kernel_w; k += l->taps, column += p->dilation_w, to += run) {
        const int32_t left = mg_min(mg_max(-column, 0), l->taps);
        const int32_t inside = mg_max(mg_min(p->in_w - column, l->taps) - left, 0) * l->depth;
        const int32_t before = left * l->depth, after = run - before - inside;
        int32_t at = (top * p->in_w + column + left) * p->in_c;
        int8_t *next = to;
        MG_ROLLED
        for (int32_t row = top; row < end; row += p->dilation_h) {
            if (row < 0 || row >= p->in_h) {
                mg_fill(run, padding, next);
            } else {
                if (inside < run) {
                    mg_fill(before, padding, next);
                    mg_fill(after, padding, next + before + inside);
                }
                copy(inside, x + at, next + before);
            }
            next += l->row;
            at += l->down;
        }
    }
}

/* Adds the products of some elements with all channels: so many vectors; whole: the last one is
 * full, instead of `rest` elements; first: nothing has been summed before. */
MG_INLINE void add_chunk(int vectors, int whole, int first, int32_t rest, int32_t products,
                         uint32_t channels, const int8_t *x, const int8_t *next, const int8_t *w,
                         int32_t *sums) {
    mg_bytes window[VECTORS], other[VECTORS];
    MG_UNROLLED
    for (int v = 0; v < VECTORS; ++v) {
        if (v < vectors) {
            window[v] = mg_load_bytes(x + v * MG_BYTES);
            other[v] = mg_load_bytes(next + v * MG_BYTES);
        }
    }
    MG_ROLLED
    for (; channels > 0; --channels) {
        int32_t both[PIXELS] = {0};
        if (!first) {
            mg_load_two(sums, both);
        }
        MG_UNROLLED
        for (int v = 0; v < VECTORS; ++v) {
            if (v < vectors) {
                const int8_t *const from = w + v * MG_BYTES;
                const mg_bytes weights = whole || v < vectors - 1 ? mg_load_bytes(from)
                                                                  : mg_load_first_bytes(from, rest);
                both[0] = mg_add_dot(both[0], window[v], weights);
                both[1] = mg_add_dot(both[1], other[v], weights);
            }
        }
        __builtin_memcpy(sums, both, sizeof both);
        sums += PIXELS;
        w += products;
    }
}

MG_INLINE void add_vectors(int vectors, int first, int32_t left, int32_t products,
                           uint32_t channels, const int8_t *x, const int8_t *next, const int8_t *w,
                           int32_t *sums) {
    const int32_t rest = left - (vectors - 1) * MG_BYTES;
    if (rest >= MG_BYTES) {
        add_chunk(vectors, 1, first, MG_BYTES, products, channels, x, next, w, sums);
    } else {
        add_chunk(vectors, 0, first, rest, products, channels, x, next, w, sums);
    }
}

/* Of `left` elements the first ones, so many vectors of them. */
MG_INLINE void add_some(int first, int32_t vectors, int32_t left, int32_t products,
                        uint32_t channels, const int8_t *x, const int8_t *next, const int8_t *w,
                        int32_t *sums) {
    if (vectors == 3) {
        add_vectors(3, first, left, products, channels, x, next, w, sums);
    } else if (vectors == 2) {
        add_vectors(2, first, left, products, channels, x, next, w, sums);
    } else {
        add_vectors(1, first, left, products, channels, x, next, w, sums);
    }
}

/* sums[c][i]: of the products of window i with the weights of channel c, which are rows. */
MG_APART void dots(const layer *l, uint32_t channels, const int8_t *x, const int8_t *next,
                   const int8_t *w, int32_t *sums) {
    const int32_t products = l->products, chunk = l->vectors * MG_BYTES;
    add_some(1, l->vectors, products, products, channels, x, next, w, sums);
    MG_ROLLED
    for (int32_t k = chunk; k < products; k += chunk) {
        const int32_t left = products - k;
        const int32_t vectors = mg_min(mg_ceil_div(left, MG_BYTES), l->vectors);
        add_some(0, vectors, left, products, channels, x + k, next + k, w + k, sums);
    }
}

/* Four results of both pixels; whole: not fewer. */
MG_INLINE void finish_four(int whole, int32_t count, const mg_rescaling_s8 *c, const int32_t *sums,
                           int32_t zero_point, int8_t *y, int8_t *next) {
    mg_words both[PIXELS];
    mg_load_pairs_of_words(sums, both);
    mg_rescale(c, both);
    mg_store_two(whole, count, both, zero_point, y, next);
}

/* The results of sums; next: may be y, and then has the same. */
MG_APART void finish(uint32_t channels, const mg_rescaling_s8 *c, const int32_t *sums,
                     int32_t zero_point, int8_t *y, int8_t *next) {
    MG_ROLLED
    for (uint32_t quads = channels / MG_WORDS; quads > 0; --quads) {
        finish_four(1, MG_WORDS, c, sums, zero_point, y, next);
        c++;
        sums += PIXELS * MG_WORDS;
        y += MG_WORDS;
        next += MG_WORDS;
    }
    if (channels % MG_WORDS != 0) {
        finish_four(0, (int32_t)(channels % MG_WORDS), c, sums, zero_point, y, next);
    }
}

/* Both, four channels at a time, where all of a window stays in registers. */
MG_INLINE void at_once(int vectors, const layer *l, const mg_rescaling_s8 *c, const int8_t *x,
                       const int8_t *next, const int8_t *w, int8_t *y, int8_t *second) {
    const int32_t zero_point = l->zero_point;
    mg_bytes window[2], other[2];
    MG_UNROLLED
    for (int v = 0; v < 2; ++v) {
        window[v] = mg_load_bytes(x + v % vectors * MG_BYTES);
        other[v] = mg_load_bytes(next + v % vectors * MG_BYTES);
    }
    MG_ROLLED
    for (int32_t left = l->channels / MG_WORDS; left > 0; --left) {
        int32_t sums[PIXELS][MG_WORDS] = {{0}};
        MG_UNROLLED
        for (int i = 0; i < MG_WORDS; ++i) {
            MG_UNROLLED
            for (int v = 0; v < 2; ++v) {
                if (v < vectors) {
                    const mg_bytes weights = mg_load_bytes(w);
                    sums[0][i] = mg_add_dot(sums[0][i], window[v], weights);
                    sums[1][i] = mg_add_dot(sums[1][i], other[v], weights);
                    w += MG_BYTES;
                }
            }
        }
        mg_words both[PIXELS] = {mg_words_of(sums[0]), mg_words_of(sums[1])};
        mg_rescale(c, both);
        mg_store_two(1, MG_WORDS, both, zero_point, y, second);
        c++;
        y += MG_WORDS;
        second += MG_WORDS;
    }
}

/* Gives of how many channels. */
MG_APART uint32_t finish_at_once(const layer *l, const mg_rescaling_s8 *c, const int8_t *x,
                                 const int8_t *next, const int8_t *w, int8_t *y, int8_t *second) {
    if (l->products == MG_BYTES) {
        at_once(1, l, c, x, next, w, y, second);
    } else {
        at_once(2, l, c, x, next, w, y, second);
    }
    const uint32_t channels = (uint32_t)l->channels;
    return channels - channels % MG_WORDS;
}

static int32_t sum_of(int32_t n, const int8_t *w) {
    int32_t sum = 0;
    for (int32_t k = 0; k < n; ++k) {
        sum += w[k];
    }
    return sum;
}

/* How the sums of all channels become int8; lanes that a group leaves over are zeros. */
static void prepare(const mg_conv2d_params *p, const layer *l, const mg_requant_s8 *q,
                    const int8_t *w, const int32_t *b, mg_rescaling_s8 *to) {
    const int32_t quads = l->quads;
    mg_fill(p->groups * quads * (int32_t)sizeof *to, mg_all_bytes(0), (int8_t *)to);
    for (int32_t first = 0; first < p->out_c; first += l->channels, to += quads) {
        for (int32_t k = 0; k < l->channels; ++k, w += l->products) {
            mg_rescaling_s8 *const four = to + k / MG_WORDS;
            const int32_t lane = k % MG_WORDS, c = first + k;
            const uint32_t moved = (uint32_t)q->input_zero_point * (uint32_t)sum_of(l->products, w);
            four->start[lane] = (int32_t)((b != NULL ? (uint32_t)b[c] : 0) - moved);
            four->halves[lane] = q->shift[c] < 0;
            four->multiplier[lane] = q->multiplier[c];
            four->shift[lane] = q->shift[c];
        }
    }
}

/* Bytes of a window with those that fill up its last vectors. */
static inline int32_t window_bytes(const layer *l) {
    return mg_ceil_div(l->products, MG_BYTES) * MG_BYTES;
}

/* Whether a window is the channels of the pixel itself, in full vectors. */
static inline int windows_are_there(const mg_conv2d_params *p, const layer *l) {
    return p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 && p->stride_w == 1 &&
           p->pad_top == 0 && p->pad_left == 0 && p->in_h == p->out_h && p->in_w == p->out_w &&
           l->products % MG_BYTES == 0;
}

size_t mg_conv2d_s8_fwd_mve_scratch_size(const mg_conv2d_params *p) {
    const layer l = layer_of(p, 0);
    return (size_t)(p->groups * l.quads) * sizeof(mg_rescaling_s8) +
           (size_t)(l.quads * MG_WORDS * PIXELS) * sizeof(int32_t) +
           (size_t)(PIXELS * window_bytes(&l));
}

void mg_conv2d_s8_fwd_mve(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                          const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y) {
    const layer l = layer_of(p, q->output_zero_point);
    const int32_t pixels = p->out_h * p->out_w;
    mg_rescaling_s8 *const quads = scratch;
    int32_t *const sums = (int32_t *)(quads + p->groups * l.quads);
    int8_t *const windows = (int8_t *)(sums + l.quads * MG_WORDS * PIXELS);
    int8_t *const other = windows + window_bytes(&l);
    const mg_bytes padding = mg_all_bytes(q->input_zero_point);
    const int in_place = windows_are_there(p, &l);
    const int short_windows = l.products == MG_BYTES || l.products == 2 * MG_BYTES;
    prepare(p, &l, q, w, b, quads);
    for (int32_t pixel = 0; pixel < pixels; pixel += PIXELS) {
        const int32_t second = mg_min(pixel + 1, pixels - 1);
        for (int32_t g = 0; g < p->groups; ++g) {
            const int32_t channel = g * l.channels;
            const int8_t *const image = x + g * l.depth;
            const int8_t *first = image + pixel * p->in_c, *next = image + second * p->in_c;
            if (!in_place) {
                lay_out_window(p, &l, pixel, image, padding, windows);
                lay_out_window(p, &l, second, image, padding, other);
                first = windows;
                next = other;
            }
            const int8_t *const weights = w + channel * l.products;
            const mg_rescaling_s8 *const c = quads + g * l.quads;
            int8_t *const to = y + channel + pixel * p->out_c;
            int8_t *const second_to = y + channel + second * p->out_c;
            const uint32_t done =
                short_windows ? finish_at_once(&l, c, first, next, weights, to, second_to) : 0;
            const uint32_t left = (uint32_t)l.channels - done;
            if (left > 0) {
                dots(&l, left, first, next, weights + done * (uint32_t)l.products, sums);
                finish(left, c + done / MG_WORDS, sums, l.zero_point, to + done, second_to + done);
            }
        }
    }
    mg_limit_results(q, pixels * p->out_c, y);
}
