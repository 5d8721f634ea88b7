/* Bytes turned, four rows and columns at a time. */
#include "turn.h"

/* Bytes 0 and 2 of two words, in turn. */
static inline mg_bytes evens(mg_bytes a, mg_bytes b) {
    return (a & 0x00FF00FF) | (int32_t)((uint32_t)(b & 0x00FF00FF) << 8);
}

static inline void turn_block(const int8_t *from, int32_t from_step, int8_t *to, int32_t to_step) {
    const mg_bytes a = mg_load_word(from), b = mg_load_word(from + from_step);
    const mg_bytes c = mg_load_word(from + 2 * from_step), d = mg_load_word(from + 3 * from_step);
    const mg_bytes ab = evens(a, b), cd = evens(c, d);
    mg_store_word(to, mg_pair_of(ab, cd));
    mg_store_word(to + 2 * to_step, mg_upper_pair(ab, cd));
    const mg_bytes ab_odd = evens(mg_odd_to_even(a), mg_odd_to_even(b));
    const mg_bytes cd_odd = evens(mg_odd_to_even(c), mg_odd_to_even(d));
    mg_store_word(to + to_step, mg_pair_of(ab_odd, cd_odd));
    mg_store_word(to + 3 * to_step, mg_upper_pair(ab_odd, cd_odd));
}

void mg_turn(int32_t rows, int32_t columns, const int8_t *from, int32_t from_step, int8_t *to,
             int32_t to_step) {
    for (int32_t r = 0; r < rows;) {
        const int32_t high = rows - r >= 4 ? 4 : 1;
        for (int32_t c = 0; c < columns;) {
            const int8_t *const source = from + r * from_step + c;
            int8_t *const result = to + c * to_step + r;
            if (high == 4 && columns - c >= 4) {
                turn_block(source, from_step, result, to_step);
                c += 4;
            } else {
                for (int32_t i = 0; i < high; ++i) {
                    result[i] = source[i * from_step];
                }
                c++;
            }
        }
        r += high;
    }
}
