/* Channels of an image as planes of int16, each by itself. */
#ifndef MG_PLANES_H
#define MG_PLANES_H

#include "dsp.h"

#define MG_PLANES 4 /* that are laid out at a time */
#define MG_RUN    4 /* neighbouring results whose sums the registers hold */

/* Rows of taps, each so many pairs, filled up with zeros; numbers of the plane from a row of taps
 * to the next, and from a result and a row of results to the next. */
typedef struct {
    const int16_t *w;
    int32_t rows, pairs, down, column, row;
} mg_taps;

/* The sums of `rows` rows of `width` results, of which the first meets x with its first tap. x and
 * its rows start at whole words. Up to three more results are read and written. */
typedef void mg_plane_sums(const mg_taps *taps, const int16_t *x, int32_t rows, int32_t width,
                           int32_t *sums);

/* Of any taps; and where the DSP extension is, of up to four pairs at a step of one or two, and of
 * three by three taps, without dilation, at a step of one. */
mg_plane_sums mg_any_sums, mg_run_sums, mg_sums_3x3;

/* How planes are laid out: channels, 1 or MG_PLANES, and columns of x; elements from a column and
 * a row of x to the next; numbers of a plane's row and of a plane. */
typedef struct {
    int32_t channels, columns, column, row, width, plane;
} mg_layout;

/* Lays out rows of x, plus what both halves of `offset` hold; `to`: in the first plane. */
void mg_planes_of_s8(const mg_layout *l, int32_t rows, const int8_t *x, mg_pair offset,
                     int16_t *to);
void mg_planes_of_s16(const mg_layout *l, int32_t rows, const int16_t *x, int16_t *to);

/* Where results go: elements to the next row and column. */
typedef struct {
    int32_t row, column;
} mg_strides;

#endif
