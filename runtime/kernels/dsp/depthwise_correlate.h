/* The body of depthwise kernels: planes of a few channels are laid out with zeros for padding, and
 * neighbouring taps meet neighbouring numbers of a row two at a time.
 *
 * Before it is included, ELEMENT, WEIGHT and RESULT name the types of x, w and y and CONTEXT that
 * of what makes results of sums, and these are defined:
 *
 *     lay out a row of w, or of x, as mg_row_of_s8 does:
 *         static inline void lay_out_taps(int32_t planes, int32_t count, const WEIGHT *w,
 *                                         int32_t step, int16_t *to, int32_t plane);
 *         static inline void lay_out(const CONTEXT *q, int32_t planes, int32_t count,
 *                                    const ELEMENT *x, int32_t step, int16_t *to, int32_t plane);
 *     `count` results of a channel, `step` elements from one to the next:
 *         static void finish(const CONTEXT *q, int32_t channel, int32_t count,
 *                            const int32_t *sums, RESULT *y, int32_t step);
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
    const int32_t width = ((mg_max(p->out_w, MG_RUN) - 1) * p->stride_w + taps + 1) & -2;
    const int32_t most = MAX_BYTES / (int32_t)sizeof(int16_t) / MG_PLANES / width;
    const int32_t band = 1 + mg_max(most - reach, 0) / p->stride_h;
    const int32_t results = mg_min(band, p->out_h);
    return (sizes){width, reach + (results - 1) * p->stride_h, taps, results};
}

static inline size_t sums_size(const mg_conv2d_params *p, const sizes *s) {
    return (size_t)(s->band * p->out_w + MG_RUN) * sizeof(int32_t);
}

static inline size_t planes_size(const mg_conv2d_params *p) {
    const sizes s = sizes_of(p);
    return sums_size(p, &s) +
           (size_t)(MG_PLANES * (s.width * s.rows + s.taps * p->kernel_h)) * sizeof(int16_t);
}

/* Where results go: elements to the next row and column. */
typedef struct {
    int32_t row, column;
} grid;

/* `rows` rows of a channel's results. */
static void channel_results(const mg_conv2d_params *p, const mg_taps *taps, int32_t rows,
                            const int16_t *x, int32_t *sums, const CONTEXT *q, int32_t channel,
                            RESULT *y, const grid *to) {
    mg_plane_sums(taps, x, rows, p->out_w, sums);
    const int contiguous = to->row == p->out_w * to->column;
    const int32_t count = contiguous ? rows * p->out_w : p->out_w;
    for (int32_t done = 0; done < rows * p->out_w; done += count, y += to->row) {
        finish(q, channel, count, sums + done, y, to->column);
    }
}

/* The planes from row `top` of the image on, which may lie above it. Their first `kept` rows are
 * the last of the band before: x may have become results there. */
static void lay_out_band(const mg_conv2d_params *p, const sizes *s, const CONTEXT *q,
                         int32_t planes, const ELEMENT *x, int32_t top, int32_t kept, int16_t *to) {
    const int32_t plane = s->width * s->rows;
    const int32_t moved = kept * s->width;
    for (int32_t c = 0; c < planes && moved > 0; ++c) {
        int16_t *const first = to + c * plane, *const last = first + plane - moved;
        MG_ROLLED
        for (int32_t k = 0; k < moved; ++k) {
            first[k] = last[k];
        }
    }
    to += moved;
    const int32_t left = mg_max(p->pad_left, 0), skipped = mg_max(-p->pad_left, 0);
    const int32_t inside = mg_min(p->in_w - skipped, s->width - left);
    for (int32_t row = top + kept; row < top + s->rows; ++row, to += s->width) {
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
static void depthwise_correlate(void *scratch, const mg_conv2d_params *p, const CONTEXT *q,
                                const ELEMENT *x, const WEIGHT *w, int32_t w_row, int32_t w_column,
                                RESULT *y, const grid *to) {
    const sizes s = sizes_of(p);
    const int32_t all_taps = s.taps * p->kernel_h, multiplier = p->out_c / p->in_c;
    const int32_t overlap = mg_max(s.rows - s.band * p->stride_h, 0);
    int32_t *const sums = scratch;
    int16_t *const w_planes = (int16_t *)((char *)scratch + sums_size(p, &s));
    int16_t *const planes = w_planes + MG_PLANES * all_taps;
    __builtin_memset(scratch, 0, planes_size(p));
    for (int32_t channel = 0; channel < p->out_c;) {
        const int fits = multiplier == 1 && p->out_c - channel >= MG_PLANES;
        const int32_t count = fits ? MG_PLANES : 1;
        for (int32_t k = 0; k < p->kernel_h; ++k) {
            lay_out_taps(count, p->kernel_w, w + k * w_row + channel, w_column,
                         w_planes + k * s.taps, all_taps);
        }
        for (int32_t top = 0; top < p->out_h; top += s.band) {
            lay_out_band(p, &s, q, count, x + channel / multiplier, top * p->stride_h - p->pad_top,
                         top > 0 ? overlap : 0, planes);
            for (int32_t c = 0; c < count; ++c) {
                const int16_t *const first = w_planes + c * all_taps;
                const mg_taps taps = {
                    .w = first,
                    .end = first + all_taps,
                    .across = p->kernel_w,
                    .down = p->dilation_h * s.width,
                    .column = p->stride_w,
                    .row = p->stride_h * s.width,
                };
                channel_results(p, &taps, mg_min(s.band, p->out_h - top),
                                planes + c * s.width * s.rows, sums, q, channel + c,
                                y + top * to->row + channel + c, to);
            }
        }
        channel += count;
    }
}
