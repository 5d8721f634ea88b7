/* The body of convolution kernels: the windows of four positions are columns, with which the
 * weights of each channel are multiplied.
 *
 * Before it is included, ELEMENT and RESULT name the types of both sides and FINISH that of what
 * makes results of sums, and these are defined:
 *
 *     four elements less a zero point, the first and third as a pair, and the others:
 *         static inline void split(const ELEMENT *x, mg_pair minus, mg_pair *even, mg_pair *odd);
 *     the results of channels from `channel` on, at four positions:
 *         static void finish(const FINISH *f, int32_t channel, int32_t count,
 *                            const int32_t *sums, RESULT *const *to);
 */
#include "dot.h"

/* Where the next number of each column goes. */
typedef struct {
    mg_pair *columns;
    int32_t k;
} laid;

#define ROWS   32 /* channels whose sums are taken before they are made results */
#define SUMS   (ROWS * MG_COLUMNS)
#define RUN    MG_COLUMNS
#define RUNS   1
#define PIXELS MG_COLUMNS
#define LAID   laid

static LAID lay_out(int32_t n, const ELEMENT *const *x, int32_t zero_point, LAID to) {
    const mg_pair minus = mg_pair_of(-zero_point, -zero_point);
    const ELEMENT *from[PIXELS];
    MG_UNROLLED
    for (int i = 0; i < PIXELS; ++i) {
        from[i] = x[i];
    }
    while (n > 0) {
        mg_pair *pairs = to.columns + to.k / 4 * 2 * PIXELS;
        if (n >= 4 && to.k % 4 == 0) {
            to.k += n & -4;
            MG_ROLLED
            for (; n >= 4; n -= 4) {
                MG_UNROLLED
                for (int i = 0; i < PIXELS; ++i) {
                    split(from[i], minus, &pairs[i], &pairs[PIXELS + i]);
                    from[i] += 4;
                }
                pairs += 2 * PIXELS;
            }
        } else {
            char *const half = (char *)(pairs + to.k % 2 * PIXELS) + to.k % 4 / 2 * 2;
            MG_UNROLLED
            for (int i = 0; i < PIXELS; ++i) {
                mg_store_half(half + i * 4, *from[i]++ - zero_point);
            }
            to.k++;
            n--;
        }
    }
    return to;
}

#include "windows.h"

/* Where results go: the first, and the elements to the next row and column and to the next group's
 * first channel. */
typedef struct {
    RESULT *first;
    int32_t row, column, group;
} grid;

static inline int32_t products_of(const mg_conv2d_params *p) {
    return p->kernel_h * p->kernel_w * (p->in_c / p->groups);
}

/* Bytes of the columns, before which are sums. */
static inline size_t columns_size(const mg_conv2d_params *p) {
    return SUMS * sizeof(int32_t) +
           (size_t)(mg_filled(products_of(p)) / 2 * MG_COLUMNS) * sizeof(mg_pair);
}

/* Correlates x with rows of weights, w_row bytes from one to the next; work: columns_size(p). */
static void correlate(const mg_conv2d_params *p, int32_t *work, const ELEMENT *padding,
                      int32_t zero_point, const ELEMENT *x, const int8_t *w, int32_t w_row,
                      const FINISH *f, const grid *y) {
    const int32_t depth = p->in_c / p->groups, channels = p->out_c / p->groups;
    const int32_t n = products_of(p), size = p->out_h * p->out_w;
    mg_pair *const columns = work + SUMS;
    __builtin_memset(work, 0, columns_size(p)); /* what fills the last word up stays zero */
    /* Runs may overlap; in an image of less than one, all positions of a run are the same. */
    const int32_t run = size < MG_COLUMNS ? 1 : MG_COLUMNS;
    for (int32_t position = 0; position < size; position += run) {
        const int32_t first = mg_min(position, size - run);
        corners v = corners_of(p, &first);
        for (int i = 1; run == 1 && i < MG_COLUMNS; ++i) {
            v.row[i] = v.row[0];
            v.column[i] = v.column[0];
            v.offset[i] = v.offset[0];
        }
        const int8_t *weights = w;
        int32_t row = first / p->out_w, column = first % p->out_w;
        RESULT *to[MG_COLUMNS];
        for (int i = 0; i < MG_COLUMNS; ++i) {
            to[i] = y->first + row * y->row + column * y->column;
            column += run > 1;
            if (column == p->out_w) {
                column = 0;
                row++;
            }
        }
        for (int32_t g = 0; g < p->groups; ++g) {
            lay_out_windows(p, zero_point, &v, x + g * depth, padding, (laid){columns, 0});
            for (int32_t c = 0; c < channels; c += ROWS) {
                const int32_t count = mg_min(channels - c, ROWS);
                mg_dot_rows(n, columns, weights, w_row, count, work);
                finish(f, g * y->group + c, count, work, to);
                weights += count * w_row;
            }
        }
    }
}
