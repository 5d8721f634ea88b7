/* Halves laid out anew. */
#include "halves.h"

#include "dots.h"

enum { WORDS = 4, ROWS = 4 };

static int even(uintptr_t n) {
    return n % sizeof(mg_halves) == 0;
}

void mg_copy_halves(int32_t n, const mg_f16 *from, mg_f16 *to) {
    const mg_f16 *const end = from + n;
    if (even((uintptr_t)from | (uintptr_t)to)) {
        MG_ROLLED
        for (; end - from >= 2 * WORDS; from += 2 * WORDS, to += 2 * WORDS) {
            mg_halves word[WORDS];
            MG_UNROLLED
            for (int i = 0; i < WORDS; ++i) {
                word[i] = mg_load_halves(from + 2 * i);
            }
            MG_UNROLLED
            for (int i = 0; i < WORDS; ++i) {
                mg_store_halves(to + 2 * i, word[i]);
            }
        }
        MG_ROLLED
        for (; end - from >= 2; from += 2, to += 2) {
            mg_store_halves(to, mg_load_halves(from));
        }
    }
    MG_ROLLED
    while (from != end) {
        *to++ = *from++;
    }
}

void mg_clear_halves(int32_t n, mg_f16 *to) {
    const mg_f16 *const end = to + n;
    if (n > 0 && !even((uintptr_t)to)) {
        *to++ = 0;
    }
    MG_ROLLED
    for (; end - to >= 2; to += 2) {
        mg_store_halves(to, mg_pack(0, 0));
    }
    if (to != end) {
        *to = 0;
    }
}

/* Gives where the next row is. */
MG_INLINE const mg_f16 *turn_rows(int rows, int columns, const mg_f16 *from, int32_t step,
                                  mg_f16 **to) {
    MG_UNROLLED
    for (int r = 0; r < rows; ++r) {
        MG_UNROLLED
        for (int c = 0; c < columns; ++c) {
            to[c][r] = from[c];
        }
        from += step;
    }
    MG_UNROLLED
    for (int c = 0; c < columns; ++c) {
        to[c] += rows;
    }
    return from;
}

MG_INLINE void turn(int columns, int32_t rows, const mg_f16 *from, int32_t from_step, mg_f16 *to,
                    int32_t to_step) {
    mg_f16 *row[MG_ROWS];
    MG_UNROLLED
    for (int c = 0; c < columns; ++c) {
        row[c] = to + c * to_step;
    }
    MG_ROLLED
    for (; rows >= ROWS; rows -= ROWS) {
        from = turn_rows(ROWS, columns, from, from_step, row);
    }
    MG_ROLLED
    for (; rows > 0; --rows) {
        from = turn_rows(1, columns, from, from_step, row);
    }
}

MG_APART void turn_one_by_one(int32_t rows, int32_t columns, const mg_f16 *from, int32_t from_step,
                              mg_f16 *to, int32_t to_step) {
    MG_ROLLED
    for (; columns > 0; --columns, ++from, to += to_step) {
        turn(1, rows, from, from_step, to, to_step);
    }
}

/* Apart from few columns, which need few registers. */
MG_APART void turn_tiles(int32_t rows, int32_t columns, const mg_f16 *from, int32_t from_step,
                         mg_f16 *to, int32_t to_step) {
    for (int32_t taken; columns >= MG_COLUMNS; columns -= taken) {
        taken = mg_tile_rows(columns);
        if (taken == MG_ROWS) {
            turn(MG_ROWS, rows, from, from_step, to, to_step);
        } else {
            turn(MG_COLUMNS, rows, from, from_step, to, to_step);
        }
        from += taken;
        to += taken * to_step;
    }
    if (columns > 0) {
        turn_one_by_one(rows, columns, from, from_step, to, to_step);
    }
}

void mg_turn_halves(int32_t rows, int32_t columns, const mg_f16 *from, int32_t from_step,
                    mg_f16 *to, int32_t to_step) {
    if (columns < MG_COLUMNS) {
        turn_one_by_one(rows, columns, from, from_step, to, to_step);
    } else {
        turn_tiles(rows, columns, from, from_step, to, to_step);
    }
}
