/* Register tiles: the sums of products that every float layer is made of.
 *
 * Each, here or in a body that loads other operands than float ones, is written once for a tile
 * of `rows` by `columns` sums held in registers. Callers pass both as constants, and inlining
 * makes of it a straight run of multiply-adds with two loads for every four of them.
 *
 * Before it is included, REAL names the stored type, as by real_f32.h or real_f16.h; sums are
 * single.
 */
#ifndef MG_TILE_F32_H
#define MG_TILE_F32_H

#include "load_f32.h"
#include "mg_cores.h"
#include "span.h"
#include "tile.h"

#define MG_TILE 4

/* Pixels of a convolution's tile. Sums and operands fill 32 registers, where operands are single.
 */
#ifdef __riscv_flen
#define MG_PIXELS 6
#else
#define MG_PIXELS MG_TILE
#endif
#define MG_WIDE 16 /* columns of a tile that has one row */

typedef float mg_sums_f32[MG_PIXELS][MG_WIDE];

/* How rows of results are shared out whose channels are made by tiles. */
static inline mg_grid mg_tiles_grid(int32_t rows, int32_t channels) {
    return mg_grid_of((uint32_t)rows, mg_grains((uint32_t)channels, MG_TILE));
}

MG_INLINE void mg_clear_f32(int rows, int columns, mg_sums_f32 sums) {
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        MG_UNROLLED
        for (int j = 0; j < columns; ++j) {
            sums[i][j] = 0.0f;
        }
    }
}

/* Every row starts with the biases of its channels; b NULL: zeros. */
MG_INLINE void mg_start_f32(int rows, int columns, const REAL *b, int32_t channel,
                            mg_sums_f32 sums) {
    MG_UNROLLED
    for (int j = 0; j < columns; ++j) {
        const float start = b != NULL ? (float)b[channel + j] : 0.0f;
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            sums[i][j] = start;
        }
    }
}

/* q NULL: no limits */
MG_INLINE void mg_store_f32(int rows, int columns, mg_sums_f32 sums, const mg_clamp_f32 *q,
                            int32_t channel, REAL *const *y) {
    if (q != NULL) {
        MG_UNROLLED
        for (int i = 0; i < rows; ++i) {
            MG_UNROLLED
            for (int j = 0; j < columns; ++j) {
                sums[i][j] = mg_limit_f32(sums[i][j], *q);
            }
        }
    }
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        MG_UNROLLED
        for (int j = 0; j < columns; ++j) {
            y[i][channel + j] = (REAL)sums[i][j];
        }
    }
}

MG_INLINE void mg_move_f32(int count, const REAL **pointers, int32_t step) {
    MG_UNROLLED
    for (int i = 0; i < count; ++i) {
        pointers[i] += step;
    }
}

/* Keeps compilers from counting beside these pointers, and adding that to each in the end. */
MG_INLINE void mg_settle_f32(int count, const REAL **pointers) {
    MG_UNROLLED
    for (int i = 0; i < count; ++i) {
        MG_COMPLETE(pointers[i]);
    }
}

/* `run` elements of every row and column, which move on. */
MG_INLINE void mg_dot_step_f32(int rows, int columns, int run, const REAL **a, const REAL **b,
                               mg_sums_f32 sums) {
    float left[MG_RUN_F32], right[MG_WIDE][MG_RUN_F32];
    MG_UNROLLED
    for (int j = 0; j < columns; ++j) {
        mg_take_f32(run, j, &b[j], right[j]);
    }
    MG_UNROLLED
    for (int i = 0; i < rows; ++i) {
        mg_take_f32(run, columns + i % 4, &a[i], left);
        MG_UNROLLED
        for (int k = 0; k < run; ++k) {
            MG_UNROLLED
            for (int j = 0; j < columns; ++j) {
                sums[i][j] += left[k] * right[j][k];
            }
        }
    }
    MG_KEEP_ORDER();
}

/* sums[i][j] += sum over k < n of a[i][k] * b[j][k]; a and b move on by n */
MG_INLINE void mg_dot_f32(int rows, int columns, int32_t n, const REAL **a, const REAL **b,
                          mg_sums_f32 sums) {
    const REAL *const end = a[0] + n;
    const int32_t steps =
        columns > MG_TILE ? 2 * MG_UNROLL : MG_UNROLL; /* long runs in wide tiles */
    MG_ROLLED
    for (const REAL *const last = end - n % steps; a[0] != last;) {
        MG_UNROLLED
        for (int32_t k = 0; k < steps; k += MG_RUN_F32) {
            mg_dot_step_f32(rows, columns, MG_RUN_F32, a, b, sums);
        }
        mg_settle_f32(rows, a);
        mg_settle_f32(columns, b);
    }
    MG_ROLLED
    while (a[0] != end) {
        mg_dot_step_f32(rows, columns, 1, a, b, sums);
    }
}

#endif
