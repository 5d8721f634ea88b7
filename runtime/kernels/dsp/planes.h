/* Channels of an image as planes of int16, each by itself. */
#ifndef MG_PLANES_H
#define MG_PLANES_H

#include "dsp.h"

#define MG_PLANES 4 /* that are laid out at a time */
#define MG_RUN    4 /* results side by side whose sums the registers hold */

/* The taps of a plane up to `end`, so many pairs in a row; what sums start from; numbers of the
 * plane from a row of taps to the next, and from a result to the next. */
typedef struct {
    const int16_t *w, *end;
    int32_t start, down, stride, pairs;
} mg_taps;

/* The sums of a run of results, of which the first meets x with its first tap. */
typedef void mg_run_sums(const mg_taps *taps, const int16_t *x, int32_t *sums);

/* The function for taps of so many pairs and such a stride. */
mg_run_sums *mg_run_sums_of(int32_t pairs, int32_t stride);

/* A row of `planes` neighbouring channels, 1 or MG_PLANES, each `plane` numbers from the one
 * before: to[k] = x[k * step], plus what both halves of `offset` hold. */
void mg_row_of_s8(int32_t planes, int32_t count, const int8_t *x, int32_t step, mg_pair offset,
                  int16_t *to, int32_t plane);
void mg_row_of_s16(int32_t planes, int32_t count, const int16_t *x, int32_t step, int16_t *to,
                   int32_t plane);

#endif
