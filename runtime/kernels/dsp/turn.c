/* Bytes turned, four rows and columns at a time. */
#include "turn.h"
#include "arithmetic.h"

/* Bytes 0 and 2 of two words, in turn. */
static inline mg_bytes evens(mg_bytes a, mg_bytes b) {
    mg_bytes of_b = b & 0x00FF00FF;
    MG_COMPLETE(of_b); /* or its bytes would be shifted first, and the mask be another */
    return (a & 0x00FF00FF) | (int32_t)((uint32_t)of_b << 8);
}

static inline mg_bytes odds(mg_bytes a, mg_bytes b) {
    return evens(mg_odd_to_even(a), mg_odd_to_even(b));
}

MG_INLINE void turn_block(const int8_t *from, int32_t from_step, int8_t *to, int32_t to_step) {
    const mg_bytes a = mg_load_word(from), b = mg_load_word(from + from_step);
    const mg_bytes c = mg_load_word(from + 2 * from_step), d = mg_load_word(from + 3 * from_step);
    const mg_bytes ab = evens(a, b), cd = evens(c, d), ab_odd = odds(a, b), cd_odd = odds(c, d);
    mg_store_word(to, mg_pair_of(ab, cd));
    mg_store_word(to + to_step, mg_pair_of(ab_odd, cd_odd));
    mg_store_word(to + 2 * to_step, mg_upper_pair(ab, cd));
    mg_store_word(to + 3 * to_step, mg_upper_pair(ab_odd, cd_odd));
}

/* Where there are fewer than four rows or columns. */
MG_APART void turn_bytes(int32_t rows, int32_t columns, const int8_t *from, int32_t from_step,
                         int8_t *to, int32_t to_step) {
    MG_ROLLED
    for (int32_t r = 0; r < rows; ++r) {
        MG_ROLLED
        for (int32_t c = 0; c < columns; ++c) {
            to[c * to_step + r] = from[r * from_step + c];
        }
    }
}

void mg_turn(int32_t rows, int32_t columns, const int8_t *from, int32_t from_step, int8_t *to,
             int32_t to_step) {
    if (rows < 4 || columns < 4) {
        turn_bytes(rows, columns, from, from_step, to, to_step);
        return;
    }
    for (int32_t r = 0; r < rows; r += 4) { /* blocks may overlap */
        const int32_t row = mg_min(r, rows - 4);
        const int8_t *source = from + row * from_step;
        int8_t *result = to + row;
        MG_ROLLED
        for (int32_t left = columns;;) {
            turn_block(source, from_step, result, to_step);
            left -= 4;
            if (left <= 0) {
                break;
            }
            const int32_t move = mg_min(left, 4);
            source += move;
            result += move * to_step;
            MG_COMPLETE(source);
        }
    }
}
