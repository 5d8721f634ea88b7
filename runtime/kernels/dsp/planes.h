/* Channels of an image as planes of int16, each by itself. */
#ifndef MG_PLANES_H
#define MG_PLANES_H

#include "dsp.h"

#define MG_PLANES 4 /* that are laid out at a time */
#define MG_RUN    4 /* neighbouring results whose sums the registers hold */

/* Rows of `across` taps up to `end`, each filled up to pairs with zeros; numbers of the plane from a
 * row of taps to the next, and from a result and a row of results to the next. */
typedef struct {
    const int16_t *w, *end;
    int32_t across, down, column, row;
} mg_taps;

/* The sums of `rows` rows of `width` results, of which the first meets x with its first tap. Up to
 * three more results may be read and written. x and its rows start at whole words. */
void mg_plane_sums(const mg_taps *taps, const int16_t *x, int32_t rows, int32_t width,
                   int32_t *sums);

/* The same of three by three taps, a step of one and no dilation. */
void mg_slide_3x3(const mg_taps *taps, const int16_t *x, int32_t rows, int32_t width,
                  int32_t *sums);

/* A row of `planes` neighbouring channels, 1 or MG_PLANES, each `plane` numbers from the one
 * before: to[k] = x[k * step], plus what both halves of `offset` hold. */
void mg_row_of_s8(int32_t planes, int32_t count, const int8_t *x, int32_t step, mg_pair offset,
                  int16_t *to, int32_t plane);
void mg_row_of_s16(int32_t planes, int32_t count, const int16_t *x, int32_t step, int16_t *to,
                   int32_t plane);

#endif
