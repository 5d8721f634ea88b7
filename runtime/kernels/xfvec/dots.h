/* The register tile: sums of products of `rows` runs of halves with `columns` others.
 *
 * Both are constants at each call, and inlining makes of it a straight run of instructions. */
#ifndef MG_DOTS_H
#define MG_DOTS_H

#include "xfvec.h"

#define MG_ROWS    6 /* rows and columns whose sums and halves the registers hold */
#define MG_COLUMNS 4
#define MG_PAIRS   8 /* pairs of halves that share the counting of a loop */

typedef float mg_sums[MG_ROWS][MG_COLUMNS];

/* The rows of the next tile of several, of which there are: six, four or one. */
static inline int32_t mg_tile_rows(int32_t left) {
    const int short_of_six = left < MG_ROWS || left / 2 == MG_COLUMNS; /* or one by one at last */
    return left < MG_COLUMNS ? 1 : short_of_six ? MG_COLUMNS : MG_ROWS;
}

/* What is summed over: one or more runs of `length` halves, which is even, and the halves from the
 * end of one to the start of the next on either side. */
typedef struct {
    int32_t runs, length, a_step, b_step;
} mg_reach;

MG_INLINE void mg_move(int count, const mg_f16 **pointers, int32_t step) {
    MG_UNROLLED
    for (int i = 0; i < count; ++i) {
        pointers[i] += step;
        MG_COMPLETE(pointers[i]); /* or it would be made anew of others in each round */
    }
}

MG_INLINE void mg_dots_step(int rows, int columns, const mg_f16 *const *a, const mg_f16 *const *b,
                            int32_t k, mg_sums sums) {
    mg_halves row[MG_ROWS];
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        row[i] = mg_load_halves(a[i] + k);
    }
    MG_UNROLLED
    for (int j = 0; j < columns; ++j) {
        const mg_halves column = mg_load_halves(b[j] + k);
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            sums[i][j] = mg_add_products(sums[i][j], row[i], column);
        }
    }
}

/* a and b move on to where the last runs end. */
MG_INLINE void mg_dots(int rows, int columns, mg_reach r, const mg_f16 **a, const mg_f16 **b,
                       mg_sums sums) {
    for (;;) {
        const mg_f16 *const end = a[0] + r.length;
        MG_ROLLED
        for (const mg_f16 *const last = end - r.length % (2 * MG_PAIRS); a[0] != last;) {
            MG_UNROLLED
            for (int32_t k = 0; k < 2 * MG_PAIRS; k += 2) {
                mg_dots_step(rows, columns, a, b, k, sums);
            }
            mg_move(rows, a, 2 * MG_PAIRS);
            mg_move(columns, b, 2 * MG_PAIRS);
        }
        MG_ROLLED
        while (a[0] != end) {
            mg_dots_step(rows, columns, a, b, 0, sums);
            mg_move(rows, a, 2);
            mg_move(columns, b, 2);
        }
        if (--r.runs == 0) {
            break;
        }
        mg_move(rows, a, r.a_step);
        mg_move(columns, b, r.b_step);
    }
}

#endif
