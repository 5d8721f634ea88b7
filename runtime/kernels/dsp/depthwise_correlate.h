/* The body of depthwise kernels: planes of a few channels are laid out with zeros for padding, and
 * neighbouring taps meet neighbouring numbers of a row two at a time.
 *
 * Before it is included, ELEMENT, WEIGHT and RESULT name the types of x, w and y and CONTEXT that
 * of what makes results of sums, and these are defined:
 *
 *     lay out rows of w, or of x, as mg_planes_of_s8 does:
 *         static inline void lay_out_taps(const mg_layout *l, int32_t rows, const WEIGHT *w,
 *                                         int16_t *to);
 *         static inline void lay_out(const CONTEXT *q, const mg_layout *l, int32_t rows,
 *                                    const ELEMENT *x, int16_t *to);
 *     rows of `count` results of a channel:
 *         static inline void finish(const CONTEXT *q, int32_t channel, int32_t rows, int32_t count,
 *                                   const int32_t *sums, RESULT *y, const mg_strides *to);
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
    const int32_t further = (-p->out_w & (MG_RUN - 1)) * p->stride_w; /* read for no result */
    return sums_size(p, &s) +
           (size_t)(MG_PLANES * (s.width * s.rows + s.taps * p->kernel_h) + further) *
               sizeof(int16_t);
}

/* Columns of x that a plane holds. */
static inline int32_t columns_of(const mg_conv2d_params *p, const sizes *s) {
    const int32_t right = p->in_w - mg_max(-p->pad_left, 0);
    return mg_max(mg_min(right, s->width - mg_max(p->pad_left, 0)), 0);
}

/* Zeros in `rows` rows of every plane. */
static void clear(const mg_layout *l, int32_t rows, int16_t *to) {
    for (int32_t c = 0; c < l->channels && rows > 0; ++c) {
        __builtin_memset(to + c * l->plane, 0, (size_t)(rows * l->width) * sizeof *to);
    }
}

/* The planes from row `top` of the image on, which may lie above it. Their first `kept` rows are
 * the last of the band before: x may have become results there. */
static void lay_out_band(const mg_conv2d_params *p, const sizes *s, const CONTEXT *q,
                         const mg_layout *l, const ELEMENT *x, int32_t top, int32_t kept,
                         int16_t *to) {
    const int32_t moved = kept * s->width;
    for (int32_t c = 0; c < l->channels; ++c) {
        int16_t *first = to + c * l->plane, *const end = first + moved;
        const int16_t *last = first + l->plane - moved;
        if (moved % 4 != 0) {
            mg_store_word(first, mg_load_word(last));
            first += 2;
            last += 2;
        }
        MG_ROLLED
        for (; first != end; first += 4, last += 4) { /* rows start at whole words */
            int64_t words;
            __builtin_memcpy(&words, __builtin_assume_aligned(last, 4), sizeof words);
            __builtin_memcpy(__builtin_assume_aligned(first, 4), &words, sizeof words);
            MG_COMPLETE(last);
        }
    }
    const int32_t from = top + kept, end = top + s->rows;
    const int32_t inside = mg_min(mg_max(from, 0), end),
                  below = mg_max(mg_min(p->in_h, end), inside);
    const int32_t left = mg_max(p->pad_left, 0), skipped = mg_max(-p->pad_left, 0);
    to += moved - from * s->width;
    lay_out(q, l, below - inside, x + inside * l->row + skipped * l->column,
            to + inside * s->width + left);
    if (s->band < p->out_h) { /* else these rows are still as they were cleared */
        clear(l, inside - from, to + from * s->width);
        clear(l, end - below, to + below * s->width);
    }
}

/* What sums such taps. */
static mg_plane_sums *sums_for(const mg_conv2d_params *p, const mg_taps *taps) {
#ifdef __ARM_FEATURE_DSP
    if (taps->pairs >= 1 && taps->pairs <= 4 && taps->rows > 0 && taps->column <= 2) {
        const int slides = taps->column == 1 && taps->row == taps->down;
        return slides && p->kernel_h == 3 && p->kernel_w == 3 ? mg_sums_3x3 : mg_run_sums;
    }
#endif
    (void)p;
    (void)taps;
    return mg_any_sums;
}

/* Correlates each channel of x with its taps, w_row and w_column elements apart. */
static void depthwise_correlate(void *scratch, const mg_conv2d_params *p, const CONTEXT *q,
                                const ELEMENT *x, const WEIGHT *w, int32_t w_row, int32_t w_column,
                                RESULT *y, const mg_strides *to) {
    const sizes s = sizes_of(p);
    const int32_t multiplier = p->out_c / p->in_c;
    const int32_t overlap = mg_max(s.rows - s.band * p->stride_h, 0);
    const int contiguous = to->row == p->out_w * to->column;
    mg_taps taps = {
        .rows = p->kernel_h,
        .pairs = s.taps / 2,
        .down = p->dilation_h * s.width,
        .column = p->stride_w,
        .row = p->stride_h * s.width,
    };
    mg_plane_sums *const sums_of = sums_for(p, &taps);
    const int32_t all_taps = p->kernel_h * s.taps;
    mg_layout of_w = {0, p->kernel_w, w_column, w_row, s.taps, all_taps};
    mg_layout of_x = {0, columns_of(p, &s), p->in_c, p->in_w * p->in_c, s.width, s.width * s.rows};
    int32_t *const sums = scratch;
    int16_t *const w_planes = (int16_t *)((char *)scratch + sums_size(p, &s));
    int16_t *const planes = w_planes + MG_PLANES * all_taps;
    __builtin_memset(scratch, 0, planes_size(p));
    for (int32_t channel = 0; channel < p->out_c; channel += of_x.channels) {
        const int fits = multiplier == 1 && p->out_c - channel >= MG_PLANES;
        of_w.channels = of_x.channels = fits ? MG_PLANES : 1;
        lay_out_taps(&of_w, p->kernel_h, w + channel, w_planes);
        for (int32_t top = 0; top < p->out_h; top += s.band) {
            const int32_t rows = mg_min(s.band, p->out_h - top);
            lay_out_band(p, &s, q, &of_x, x + channel / multiplier, top * p->stride_h - p->pad_top,
                         top > 0 ? overlap : 0, planes);
            for (int32_t c = 0; c < of_x.channels; ++c) {
                taps.w = w_planes + c * all_taps;
                sums_of(&taps, planes + c * of_x.plane, rows, p->out_w, sums);
                finish(q, channel + c, contiguous ? 1 : rows,
                       contiguous ? rows * p->out_w : p->out_w, sums,
                       y + top * to->row + channel + c, to);
            }
        }
    }
}
