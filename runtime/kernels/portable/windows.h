/* The windows of a few pixels, laid out side by side with zeros for padding.
 *
 * Before it is included, ELEMENT and LAID name the types of the image's elements and of a place to
 * lay them out at, RUNS times RUN neighbours are PIXELS, and this is defined:
 *
 *     n further elements of every pixel's window:
 *         static LAID lay_out(int32_t n, const ELEMENT *const *x, int32_t zero_point, LAID to);
 */
#include "arithmetic.h"
#include "tile.h"

/* Where the windows of pixels begin in the image; offset: in x. */
typedef struct {
    int32_t row[PIXELS], column[PIXELS], offset[PIXELS];
    int inside; /* whether none needs padding */
} corners;

/* Of runs of pixels. */
static corners corners_of(const mg_conv2d_params *p, const int32_t *runs) {
    const int32_t low = p->in_h - (p->kernel_h - 1) * p->dilation_h;
    const int32_t right = p->in_w - (p->kernel_w - 1) * p->dilation_w;
    corners v;
    v.inside = 1;
    MG_ROLLED
    for (int k = 0; k < RUNS; ++k) {
        int32_t row = runs[k] / p->out_w * p->stride_h - p->pad_top;
        int32_t position = runs[k] % p->out_w;
        int32_t column = position * p->stride_w - p->pad_left;
        MG_ROLLED
        for (int i = k * RUN; i < (k + 1) * RUN; ++i) {
            v.row[i] = row;
            v.column[i] = column;
            v.offset[i] = (row * p->in_w + column) * p->in_c;
            v.inside &= row >= 0 && row < low && column >= 0 && column < right;
            column += p->stride_w;
            if (++position == p->out_w) {
                position = 0;
                column = -p->pad_left;
                row += p->stride_h;
            }
        }
    }
    return v;
}

/* `padding`: as many zero points as a tap has inputs. */
static void lay_out_windows(const mg_conv2d_params *p, int32_t zero_point, const corners *v,
                            const ELEMENT *x, const ELEMENT *padding, LAID to) {
    const int32_t depth = p->in_c / p->groups;
    const int rows = v->inside && p->dilation_w == 1 && p->groups == 1; /* are contiguous */
    const int32_t taps = rows ? 1 : p->kernel_w, run = rows ? p->kernel_w * depth : depth;
    for (int32_t ky = 0; ky < p->kernel_h; ++ky) {
        for (int32_t kx = 0; kx < taps; ++kx) {
            const int32_t down = ky * p->dilation_h, across = kx * p->dilation_w;
            const int32_t tap = (down * p->in_w + across) * p->in_c;
            const ELEMENT *from[PIXELS];
            for (int i = 0; i < PIXELS; ++i) {
                const int32_t row = v->row[i] + down, column = v->column[i] + across;
                const int meets =
                    v->inside || (row >= 0 && row < p->in_h && column >= 0 && column < p->in_w);
                from[i] = meets ? x + (v->offset[i] + tap) : padding;
            }
            to = lay_out(run, from, zero_point, to);
        }
    }
}
