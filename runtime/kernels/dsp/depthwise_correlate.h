/* The body of depthwise kernels: planes of a few channels are laid out with zeros for padding, and
 * neighbouring taps meet neighbouring numbers of a row two at a time.
 *
 * Before it is included, ELEMENT and RESULT name the types of both sides and FINISH that of what
 * makes results of a channel's sums, CONTEXT what that depends on, and these are
 * defined:
 *
 *     lays out a row of x as mg_row_of_s8 does:
 *         static inline void lay_out(const CONTEXT *q, int32_t planes, int32_t count,
 *                                    const ELEMENT *x, int32_t step, int16_t *to, int32_t plane);
 *     static inline FINISH finish_of(const CONTEXT *q, int32_t channel);
 *     what a channel's sums start from:   MG_INLINE int32_t start(const FINISH *f);
 *     four results, `step` from one to the next, the last first:
 *         MG_INLINE void finish(const FINISH *f, const int32_t *sums, RESULT *to, int32_t step);
 */
#include "planes.h"
#include "span.h"

#define MAX_BYTES 4096 /* of planes, unless the window of one row of results needs more */

/* Of planes: columns and rows of x, of which a row of w has `taps`, filled up to pairs; rows of
 * results whose windows a plane holds. */
typedef struct {
    int32_t width, rows, taps, band;
} sizes;

static inline sizes sizes_of(const mg_conv2d_params *p) {
    const int32_t taps = (p->kernel_w + 1) & -2, reach = (p->kernel_h - 1) * p->dilation_h + 1;
    const int32_t width = (mg_max(p->out_w, MG_RUN) - 1) * p->stride_w + taps;
    const int32_t most = MAX_BYTES / (int32_t)sizeof(int16_t) / MG_PLANES / width;
    const int32_t band = 1 + mg_max(most - reach, 0) / p->stride_h;
    const int32_t results = mg_min(band, p->out_h);
    return (sizes){width, reach + (results - 1) * p->stride_h, taps, results};
}

static inline size_t planes_size(const mg_conv2d_params *p) {
    const sizes s = sizes_of(p);
    return (size_t)(MG_PLANES * (s.width * s.rows + s.taps * p->kernel_h)) * sizeof(int16_t);
}

/* Where results go: elements to the next row and column. */
typedef struct {
    int32_t row, column;
} grid;

/* `count` rows of a channel's results. */
static void channel_results(const mg_conv2d_params *p, const sizes *s, int32_t count,
                            const int16_t *x, const int16_t *w, const FINISH *f, RESULT *y,
                            const grid *to) {
    const FINISH channel = *f;
    /* Runs may overlap; in an image narrower than one, all results of a run are the same. */
    const int narrow = p->out_w < MG_RUN;
    const int32_t run = narrow ? 1 : MG_RUN, column = to->column, stride = p->stride_w;
    const int32_t step = narrow ? 0 : column, pairs = s->taps / 2;
    const mg_taps taps = {.w = w,
                          .end = w + p->kernel_h * s->taps,
                          .start = start(f),
                          .down = p->dilation_h * s->width,
                          .stride = narrow ? 0 : stride,
                          .pairs = pairs};
    mg_run_sums *const run_sums = mg_run_sums_of(pairs, taps.stride);
    for (; count > 0; --count) {
        const int16_t *from = x;
        RESULT *result = y;
        for (int32_t left = p->out_w;;) {
            int32_t sums[MG_RUN];
            run_sums(&taps, from, sums);
            finish(&channel, sums, result, step);
            left -= run;
            if (left <= 0) {
                break;
            }
            const int32_t move = mg_min(left, run);
            from += move * stride;
            result += move * column;
        }
        x += p->stride_h * s->width;
        y += to->row;
    }
}

/* The planes from row `top` of the image on, which may lie above it. */
static void lay_out_band(const mg_conv2d_params *p, const sizes *s, const CONTEXT *q,
                         int32_t planes, const ELEMENT *x, int32_t top, int16_t *to) {
    const int32_t plane = s->width * s->rows;
    const int32_t left = mg_max(p->pad_left, 0), skipped = mg_max(-p->pad_left, 0);
    const int32_t inside = mg_min(p->in_w - skipped, s->width - left);
    for (int32_t row = top; row < top + s->rows; ++row, to += s->width) {
        if (row >= 0 && row < p->in_h) {
            const ELEMENT *const from = x + (row * p->in_w + skipped) * p->in_c;
            lay_out(q, planes, inside, from, p->in_c, to + left, plane);
        } else if (s->band < p->out_h) { /* else it is still as it was cleared */
            for (int32_t c = 0; c < planes; ++c) {
                __builtin_memset(to + c * plane, 0, (size_t)s->width * sizeof *to);
            }
        }
    }
}

/* Correlates each channel of x with its taps, w_row and w_column elements apart. */
static void depthwise_correlate(int16_t *scratch, const mg_conv2d_params *p, const CONTEXT *q,
                                const ELEMENT *x, const int8_t *w, int32_t w_row, int32_t w_column,
                                RESULT *y, const grid *to) {
    const sizes s = sizes_of(p);
    const int32_t taps = s.taps * p->kernel_h, multiplier = p->out_c / p->in_c;
    int16_t *const planes = scratch + MG_PLANES * taps;
    __builtin_memset(scratch, 0, planes_size(p));
    for (int32_t channel = 0; channel < p->out_c;) {
        const int fits = multiplier == 1 && p->out_c - channel >= MG_PLANES;
        const int32_t count = fits ? MG_PLANES : 1;
        for (int32_t k = 0; k < p->kernel_h; ++k) {
            mg_row_of_s8(count, p->kernel_w, w + k * w_row + channel, w_column, 0,
                         scratch + k * s.taps, taps);
        }
        for (int32_t top = 0; top < p->out_h; top += s.band) {
            lay_out_band(p, &s, q, count, x + channel / multiplier, top * p->stride_h - p->pad_top,
                         planes);
            for (int32_t c = 0; c < count; ++c) {
                const FINISH f = finish_of(q, channel + c);
                channel_results(p, &s, mg_min(s.band, p->out_h - top),
                                planes + c * s.width * s.rows, scratch + c * taps, &f,
                                y + top * to->row + channel + c, to);
            }
        }
        channel += count;
    }
}
