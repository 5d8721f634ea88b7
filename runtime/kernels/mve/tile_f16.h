/* A register tile of sums: rows, each of one or two vectors of lanes. They grow in half, and move
 * to single in memory before more than MG_IN_HALF products have been added. */
#ifndef MG_MVE_TILE_F16_H
#define MG_MVE_TILE_F16_H

#include "mve_f16.h"

#define MG_TILE_ROWS    3
#define MG_TILE_VECTORS 2
#define MG_TILE_LANES   (MG_TILE_VECTORS * MG_HALVES)
#define MG_TILE_SUMS    (MG_TILE_ROWS * MG_TILE_LANES)

typedef struct {
    mg_halves sums[MG_TILE_ROWS][MG_TILE_VECTORS];
    const float *from; /* the sums before, of rows `from_row` apart */
    int32_t from_row;
    int32_t room; /* for further products in half */
    float *total; /* memory for all sums, apart: registers have no address */
} mg_tile_f16;

MG_INLINE void mg_no_sums(int rows, int vectors, mg_tile_f16 *t) {
    t->room = MG_IN_HALF;
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        MG_UNROLLED
        for (int j = 0; j < vectors; ++j) {
            t->sums[i][j] = mg_no_halves();
        }
    }
}

/* Every row starts from the same numbers, as mg_store_singles() puts them; total: MG_TILE_SUMS. */
MG_INLINE void mg_start_tile(int rows, int vectors, const float *start, float *total,
                             mg_tile_f16 *t) {
    t->total = total;
    t->from = start;
    t->from_row = 0;
    mg_no_sums(rows, vectors, t);
}

MG_INLINE mg_singles mg_total(const mg_tile_f16 *t, int row, int vector) {
    const float *const from = t->from + row * t->from_row + vector * MG_HALVES;
    return mg_add_halves(mg_load_singles(from), t->sums[row][vector]);
}

/* The sums, rounded to half. */
MG_INLINE void mg_round_tile(int rows, int vectors, mg_tile_f16 *t) {
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        MG_UNROLLED
        for (int j = 0; j < vectors; ++j) {
            t->sums[i][j] = mg_rounded(mg_total(t, i, j));
        }
    }
}

/* Results within a range. */
MG_INLINE void mg_limit_tile(int rows, int vectors, mg_range_f16 range, mg_tile_f16 *t) {
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        MG_UNROLLED
        for (int j = 0; j < vectors; ++j) {
            t->sums[i][j] = mg_limited(t->sums[i][j], range);
        }
    }
}

/* How many of `left` products may be added now. */
MG_INLINE int32_t mg_make_room(int rows, int vectors, int32_t left, mg_tile_f16 *t) {
    if (t->room == 0) {
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            MG_UNROLLED
            for (int j = 0; j < vectors; ++j) {
                mg_store_singles(t->total + i * MG_TILE_LANES + j * MG_HALVES, mg_total(t, i, j));
            }
        }
        t->from = t->total;
        t->from_row = MG_TILE_LANES;
        mg_no_sums(rows, vectors, t);
    }
    const int32_t n = mg_min(left, t->room);
    t->room -= n;
    return n;
}

/* To each row a factor times the lanes. */
MG_INLINE void mg_add_row(int row, int vectors, const mg_f16 *factor, const mg_halves *lanes,
                          mg_tile_f16 *t) {
    MG_UNROLLED
    for (int j = 0; j < vectors; ++j) {
        t->sums[row][j] = mg_add_scaled(t->sums[row][j], factor, lanes[j]);
    }
}

#endif
