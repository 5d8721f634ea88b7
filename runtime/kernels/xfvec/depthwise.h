/* What depthwise kernels of three by three taps share: neighbouring channels are a word, and a
 * product of one of them is a dot product with a word whose other half is zero. An infinity is
 * none to its neighbour: it makes it a NaN. */
#ifndef MG_DEPTHWISE_H
#define MG_DEPTHWISE_H

#include "arithmetic.h"
#include "xfvec.h"

#define MG_TAPS 3 /* rows and columns of the window */

/* Each of two halves with a zero in the other's place. */
MG_INLINE void mg_part(mg_halves two, mg_halves *parts) {
    parts[0] = mg_product(two, mg_pack(1, 0));
    parts[1] = mg_product(two, mg_pack(0, 1));
}

/* An axis: positions, and halves from one to the next, of what windows move over and of what comes
 * of them; taps' halves from one to the next. */
typedef struct {
    int32_t in, out, pad, in_step, out_step, tap_step;
} mg_way;

/* Kernels sweep along one axis for each position of the other. The longer one is the first. */
typedef struct {
    mg_way along, over;
} mg_sweep;

static inline mg_sweep mg_sweep_of(const mg_conv2d_params *p, int32_t tap) {
    const int32_t c = p->in_c;
    const mg_way down = {p->in_h, p->out_h, p->pad_top, p->in_w * c, p->out_w * c, MG_TAPS * tap};
    const mg_way across = {p->in_w, p->out_w, p->pad_left, c, c, tap};
    return p->in_h > p->in_w ? (mg_sweep){down, across} : (mg_sweep){across, down};
}

/* Two channels of three rows of an image; rows outside are zeros. */
typedef struct {
    const mg_f16 *at[MG_TAPS];
    int32_t step[MG_TAPS]; /* to the next position */
} mg_lines;

/* x: row `row` */
MG_INLINE mg_lines mg_lines_of(const mg_f16 *x, int32_t row, const mg_sweep *s) {
    static const _Alignas(4) mg_f16 zeros[2];
    mg_lines lines;
    MG_UNROLLED
    for (int ky = 0; ky < MG_TAPS; ++ky) {
        const int inside = (uint32_t)(row + ky) < (uint32_t)s->over.in;
        lines.at[ky] = inside ? x + ky * s->over.in_step : zeros;
        lines.step[ky] = inside ? s->along.in_step : 0;
    }
    return lines;
}

/* The words of the next position. */
MG_INLINE void mg_next_words(mg_lines *lines, mg_halves *words) {
    MG_UNROLLED
    for (int ky = 0; ky < MG_TAPS; ++ky) {
        words[ky] = mg_load_halves(lines->at[ky]);
        lines->at[ky] += lines->step[ky];
        MG_COMPLETE(lines->at[ky]); /* or there would be copies of it */
    }
}

#endif
