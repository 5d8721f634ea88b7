/* The register tile of int8 layers: sums of products in int32, rounded to int8 at the end. */
#ifndef MG_TILE_S8_H
#define MG_TILE_S8_H

#include "span.h"
#include "tile.h"

/* As many sums as the general registers hold beside pointers and operands. */
#define MG_TILE_ROWS_S8 2
#ifdef __arm__
#define MG_TILE_COLUMNS_S8 2
#else
#define MG_TILE_COLUMNS_S8 4
#endif

typedef int32_t mg_sums_s8[MG_TILE_ROWS_S8][MG_TILE_COLUMNS_S8];

/* Every row starts with the biases of its channels; b NULL: zeros. */
MG_INLINE void mg_start_s8(int rows, int columns, const int32_t *b, int32_t channel,
                           mg_sums_s8 sums) {
    MG_UNROLLED
    for (int j = 0; j < columns; ++j) {
        const int32_t start = b != NULL ? b[channel + j] : 0;
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            sums[i][j] = start;
        }
    }
}

/* Not inlined, as it would be the larger part of every tile. */
static __attribute__((noinline)) void mg_requantize_tile_s8(int rows, int columns,
                                                            const mg_sums_s8 *sums,
                                                            const mg_requant_s8 *q, int32_t channel,
                                                            int8_t *const *y) {
    for (int j = 0; j < columns; ++j) {
        const mg_channel_s8 c = mg_channel_of_s8(q, channel + j);
        for (int i = 0; i < rows; ++i) {
            y[i][channel + j] = mg_requantized_s8(c, (*sums)[i][j]);
        }
    }
}

MG_INLINE void mg_store_s8(int rows, int columns, mg_sums_s8 sums, const mg_requant_s8 *q,
                           int32_t channel, int8_t *const *y) {
    mg_sums_s8 done; /* a copy, so that `sums` itself can stay in registers */
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        MG_UNROLLED
        for (int j = 0; j < columns; ++j) {
            done[i][j] = sums[i][j];
        }
    }
    mg_requantize_tile_s8(rows, columns, &done, q, channel, y);
}

MG_INLINE void mg_move_s8(int count, const int8_t **pointers, int32_t step) {
    MG_UNROLLED
    for (int i = 0; i < count; ++i) {
        pointers[i] += step;
    }
}

MG_INLINE void mg_dot_step_s8(int rows, int columns, const int8_t *const *a, int32_t zero_point,
                              const int8_t *const *b, int32_t k, mg_sums_s8 sums) {
    int32_t centred[MG_TILE_ROWS_S8];
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        centred[i] = a[i][k] - zero_point;
    }
    MG_UNROLLED
    for (int j = 0; j < columns; ++j) {
        const int32_t factor = b[j][k];
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            sums[i][j] += centred[i] * factor;
            MG_COMPLETE(sums[i][j]);
        }
    }
}

/* sums[i][j] += sum over k < n of (a[i][k] - zero_point) * b[j][k]; a and b move on by n */
MG_INLINE void mg_dot_s8(int rows, int columns, int32_t n, const int8_t **a, int32_t zero_point,
                         const int8_t **b, mg_sums_s8 sums) {
    const int8_t *const end = a[0] + n;
    MG_ROLLED
    for (const int8_t *const last = end - n % MG_UNROLL; a[0] != last;) {
        MG_UNROLLED
        for (int32_t k = 0; k < MG_UNROLL; ++k) {
            mg_dot_step_s8(rows, columns, a, zero_point, b, k, sums);
        }
        mg_move_s8(rows, a, MG_UNROLL);
        mg_move_s8(columns, b, MG_UNROLL);
    }
    MG_ROLLED
    while (a[0] != end) {
        mg_dot_step_s8(rows, columns, a, zero_point, b, 0, sums);
        mg_move_s8(rows, a, 1);
        mg_move_s8(columns, b, 1);
    }
}

/* sums[i][j] += sum over the taps of (a[i][tap + j] - zero_point) * w[tap + j] */
MG_INLINE void mg_depthwise_s8(int rows, int columns, const mg_window *v, const int8_t *const *a0,
                               int32_t zero_point, const int8_t *w, mg_sums_s8 sums) {
    const int8_t *a[MG_TILE_ROWS_S8];
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        a[i] = a0[i];
    }
    int32_t in_row = v->runs;
    MG_ROLLED
    for (int32_t left = v->rows * v->runs; left > 0; --left) {
        MG_UNROLLED
        for (int j = 0; j < columns; ++j) {
            const int32_t factor = w[j];
            MG_UNROLLED
            for (int i = 0; i < rows; ++i) {
                sums[i][j] += (a[i][j] - zero_point) * factor;
                MG_COMPLETE(sums[i][j]);
            }
        }
        const int last = --in_row == 0;
        in_row = last ? v->runs : in_row;
        mg_move_s8(rows, a, last ? v->source_row : v->source_run);
        w += last ? v->w_row : v->w_run;
    }
}

#endif
