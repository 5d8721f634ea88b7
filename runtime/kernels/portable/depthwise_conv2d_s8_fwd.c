/* Depthwise convolution, int8, forward: a channel's inputs are laid out as a plane with zeros for
 * padding, in which every tap of neighbouring results is a run of words. Where x and y have one
 * shape the plane is a whole channel, so that they may be the same memory. */
#include "mg_cores.h"
#include "requantize_s8.h"
#include "span.h"

#define STEPS     3    /* of the inner loop that share its counting; a divisor of 9 */
#define RUNS      32   /* whose sums are taken before they are made results, but those of a row */
#define MAX_WORDS 1024 /* of other planes, unless the window of one row of results needs more */

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
    const int same = p->in_h == p->out_h && p->in_w == p->out_w && p->in_c == p->out_c;
    const int32_t results = same ? half : mg_min(half, 1 + more);
    return (plane){width, row, reach + 1 + (results - 1) * p->stride_h, results, half};
}

/* Runs of words that a row of results has; in an image narrower than one, a run gives its first
 * result alone. */
static int32_t run_of(const mg_conv2d_params *p) {
    return p->out_w < MG_RUN_S8 ? 1 : MG_RUN_S8;
}

static int32_t runs_of(const mg_conv2d_params *p) {
    return mg_ceil_div(p->out_w, run_of(p));
}

/* The computer that asks may have words of another size than the target. */
size_t mg_depthwise_conv2d_s8_fwd_scratch_size(const mg_conv2d_params *p) {
    const plane one = plane_of(p, 1), two = plane_of(p, 2);
    const int32_t words = mg_max(one.rows * one.row * 2, two.rows * two.row * 4);
    const int32_t sums = mg_max(runs_of(p), RUNS) * 2 * MG_RUN_S8;
    return (size_t)(p->kernel_h * p->kernel_w) * sizeof(tap) + (size_t)sums * sizeof(int32_t) +
           (size_t)words;
}

MG_INLINE mg_word_s8 next_word(const int8_t **from, const int32_t *steps, int32_t zero_point) {
    const mg_word_s8 word = mg_word(from, 1, 0, zero_point);
    MG_UNROLLED
    for (int k = 0; k < MG_WORD_PIXELS_S8; ++k) {
        from[k] += steps[k];
        MG_COMPLETE(from[k]); /* or there would be a pointer to each */
    }
    return word;
}

/* The plane from row `top` of the image on, which may lie above it; x: of one channel. */
static void lay_out(const mg_conv2d_params *p, const plane *v, int32_t zero_point, const int8_t *x,
                    int32_t top, mg_word_s8 *words) {
    const int8_t padding = (int8_t)zero_point;
    const int32_t step = p->stride_w * p->in_c, row_step = p->in_w * p->in_c;
    const int32_t below = v->half * p->stride_h;
    for (int32_t phase = 0; phase < p->stride_w; ++phase, words += v->width) {
        const int32_t left = mg_ceil_div(mg_max(p->pad_left - phase, 0), p->stride_w);
        const int32_t column = left * p->stride_w + phase - p->pad_left;
        const int32_t inside = mg_ceil_div(p->in_w - column, p->stride_w);
        const int32_t count = mg_min(inside, v->width - left);
        mg_word_s8 *to = words + left;
        int32_t offset = top * row_step + column * p->in_c;
        for (int32_t row = top; row < top + v->rows; ++row, to += v->row, offset += row_step) {
            const int meets = (uint32_t)row < (uint32_t)p->in_h;
            const int second = (uint32_t)(row + below) < (uint32_t)p->in_h;
            const int8_t *from[2] = {meets ? x + offset : &padding,
                                     second ? x + (offset + below * row_step) : &padding};
            const int32_t steps[2] = {meets ? step : 0, second ? step : 0};
            int32_t i = 0;
            MG_ROLLED
            for (; i + MG_UNROLL <= count; i += MG_UNROLL) {
                MG_UNROLLED
                for (int k = 0; k < MG_UNROLL; ++k) {
                    to[i + k] = next_word(from, steps, zero_point);
                }
            }
            MG_ROLLED
            for (; i < count; ++i) {
                to[i] = next_word(from, steps, zero_point);
            }
        }
    }
}

/* Runs of `rows` rows of results, x_row words from one to the next: those of a row are `apart`
 * words from each other, at most `reach` from the first. */
typedef struct {
    int32_t rows, x_row, runs, apart, reach;
} places;

/* The sums of n taps, at most MG_EXACT_S8, of runs of results; x: what the first of them meets. */
MG_APART void products(int32_t n, const tap *taps, const mg_word_s8 *x, const places *v,
                       int32_t further, mg_sums_s8 *sums) {
    MG_ROLLED
    for (int32_t row = 0; row < v->rows; ++row) {
        const mg_word_s8 *first = x + row * v->x_row;
        int32_t left = v->reach; /* runs may overlap */
        MG_ROLLED
        for (int32_t run = v->runs; run > 0; --run) {
            const mg_word_s8 *from = first;
            const tap *with = taps;
            mg_partial_s8 words[MG_RUN_S8];
            mg_clear_s8(words);
            MG_ROLLED
            for (const tap *const last = taps + (uint32_t)n / STEPS * STEPS; with != last;
                 with += STEPS) {
                MG_UNROLLED
                for (int k = 0; k < STEPS; ++k) {
                    from += with[k].step;
                    mg_add_products_s8(from, with[k].w, words);
                    MG_KEEP_ORDER();
                }
            }
            MG_ROLLED
            for (uint32_t rest = (uint32_t)n % STEPS; rest > 0; --rest, ++with) {
                from += with->step;
                mg_add_products_s8(from, with->w, words);
            }
            mg_split_s8(words, further, *sums++);
            first += mg_min(left, v->apart);
            left -= v->apart;
        }
    }
}

/* Some rows of results, and those `half` rows below; x: the first row's place in the plane. */
static void result_rows(const mg_conv2d_params *p, int32_t zero_point, const plane *v,
                        const mg_channel_s8 *channel, const tap *taps, const mg_word_s8 *x,
                        int32_t row, int32_t rows, mg_sums_s8 *sums, int8_t *y) {
    /* Where the runs of a row cannot all be equally far apart, the last is nearer. */
    const int32_t run = run_of(p), runs = runs_of(p), reach = p->out_w - run;
    const int evenly = runs > 1 && reach % (runs - 1) == 0;
    const int32_t apart = evenly ? reach / (runs - 1) : run;
    const int32_t even = evenly || runs == 1 ? runs : runs - 1;
    const int32_t n = p->kernel_h * p->kernel_w;
    const places from = {rows, p->stride_h * v->row, runs, apart, reach};
    /* Of one row where runs overlap, or where there is none below. */
    const int contiguous = p->out_w == runs * run && row + rows + v->half <= p->out_h;
    const int32_t piece = contiguous ? rows : 1;
    for (int32_t done = 0;;) {
        const int32_t end = mg_min(n, done + MG_EXACT_S8);
        products(end - done, taps + done, x, &from, done, sums);
        if (end == n) {
            break;
        }
        for (; done < end; ++done) {
            x += taps[done].step;
        }
    }
    for (const int32_t end = row + rows; row < end; row += piece, sums += piece * runs) {
        mg_places_s8 to = {
            .step = run == 1 ? 0 : p->out_c, .next = apart * p->out_c, .zero_point = zero_point};
        for (int k = 0; k < MG_WORD_PIXELS_S8; ++k) {
            const int32_t below = row + k * v->half < p->out_h ? row + k * v->half : row;
            to.pixel[k] = y + below * p->out_w * p->out_c;
        }
        mg_requantize_s8(channel, 0, piece * even, sums, &to);
        if (even < runs) {
            for (int k = 0; k < MG_WORD_PIXELS_S8; ++k) {
                to.pixel[k] += reach * p->out_c;
            }
            mg_requantize_s8(channel, 0, 1, sums + even, &to);
        }
    }
}

void mg_depthwise_conv2d_s8_fwd(void *scratch, const mg_conv2d_params *p, const mg_requant_s8 *q,
                                const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y) {
    const plane v = plane_of(p, MG_WORD_PIXELS_S8);
    const int32_t n = p->kernel_h * p->kernel_w, multiplier = p->out_c / p->in_c;
    tap *const taps = scratch;
    mg_sums_s8 *const sums = (mg_sums_s8 *)(taps + n);
    mg_word_s8 *const words = (mg_word_s8 *)(sums + mg_max(runs_of(p), RUNS));
    __builtin_memset(words, 0, (size_t)(v.rows * v.row) * sizeof *words);
    const int32_t rows = mg_max(RUNS / runs_of(p), 1);
    int32_t place = 0;
    for (int32_t k = 0; k < n; ++k) {
        const int32_t down = k / p->kernel_w * p->dilation_h;
        const int32_t across = k % p->kernel_w * p->dilation_w;
        const int32_t phase = across % p->stride_w;
        const int32_t next = down * v.row + phase * v.width + across / p->stride_w;
        taps[k].step = next - place;
        place = next;
    }
    const mg_part part = mg_share(p->out_c, 1);
    for (int32_t c = part.first; c < part.end; ++c) {
        const mg_channel_s8 channel = mg_channel_of_s8(q, c, b, n);
        for (int32_t k = 0; k < n; ++k) {
            taps[k].w = w[k * p->out_c + c];
        }
        for (int32_t top = 0; top < v.half; top += v.results) {
            lay_out(p, &v, q->input_zero_point, x + c / multiplier, top * p->stride_h - p->pad_top,
                    words);
            const int32_t end = mg_min(top + v.results, v.half);
            const mg_word_s8 *from = words;
            for (int32_t r = top; r < end; r += rows) {
                result_rows(p, q->output_zero_point, &v, &channel, taps, from, r,
                            mg_min(rows, end - r), sums, y + c);
                from += rows * p->stride_h * v.row;
            }
        }
    }
    mg_join(); /* contiguous results are of the channels of all cores */
    const mg_part results = mg_share(p->out_h * p->out_w * p->out_c, 4);
    mg_narrow_s8(q, results.end - results.first, y + results.first);
}
