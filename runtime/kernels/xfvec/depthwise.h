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

/* Two channels of three rows of an image; rows outside are zeros. */
typedef struct {
    const mg_f16 *at[MG_TAPS];
    int32_t step[MG_TAPS]; /* to the next position */
} mg_lines;

/* x: row `row` of an image with `line` halves in a row */
MG_INLINE mg_lines mg_lines_of(const mg_f16 *x, int32_t row, int32_t height, int32_t line,
                               int32_t channels) {
    static const _Alignas(4) mg_f16 zeros[2];
    mg_lines lines;
    MG_UNROLLED
    for (int ky = 0; ky < MG_TAPS; ++ky) {
        const int inside = (uint32_t)(row + ky) < (uint32_t)height;
        lines.at[ky] = inside ? x + ky * line : zeros;
        lines.step[ky] = inside ? channels : 0;
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
