/* Weights turned, so that those of neighbouring rows are neighbours.
 *
 * Before it is included, REAL and its vectors are there, as by rvv_f16.h. */
#include "tile.h"

/* to[c * to_step + r] = from[r * from_step + c] */
static inline void turn(int32_t rows, int32_t columns, const REAL *from, int32_t from_step,
                        REAL *to, int32_t to_step) {
    size_t n;
    for (int32_t left = rows; left > 0; left -= (int32_t)n) {
        n = mg_lanes(left);
        REAL *column = to;
        MG_ROLLED
        for (int32_t c = 0; c < columns; ++c) {
            mg_store(column, mg_load_apart(from + c, from_step, n), n);
            column += to_step;
        }
        from += (int32_t)n * from_step;
        to += n;
    }
}
