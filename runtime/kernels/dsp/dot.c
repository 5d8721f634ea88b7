/* The register tile of convolutions: the sums of a row. */
#include "dot.h"

/* The next four products of each column. */
MG_INLINE void add_word(const mg_pair **x, mg_bytes w, int32_t *sums) {
    mg_pair columns[MG_COLUMNS];
    const mg_pair even = mg_even_bytes(w);
    mg_load_pairs(x, columns);
    MG_UNROLLED
    for (int i = 0; i < MG_COLUMNS; ++i) {
        sums[i] = mg_add_products(sums[i], columns[i], even);
    }
    const mg_pair odd = mg_even_bytes(mg_odd_to_even(w));
    mg_load_pairs(x, columns);
    MG_UNROLLED
    for (int i = 0; i < MG_COLUMNS; ++i) {
        sums[i] = mg_add_products(sums[i], columns[i], odd);
    }
}

/* Four bytes at *w, which moves behind them. */
MG_INLINE mg_bytes next_word(const int8_t **w) {
    const mg_bytes word = mg_load_word(*w);
    *w += 4;
    MG_COMPLETE(*w); /* or it would move by more in an instruction of its own */
    return word;
}

/* The bytes from w to the end of a row of n, n & 3 of them, above which are zeros. */
static inline mg_bytes last_bytes(int32_t n, const int8_t *w) {
    const int32_t rest = n & 3;
    if (n >= 4) {
        return (int32_t)((uint32_t)mg_load_word(w + rest - 4) >> (32 - 8 * rest));
    }
    mg_bytes last = 0;
    MG_ROLLED
    for (int32_t k = rest - 1; k >= 0; --k) {
        last = (int32_t)((uint32_t)last << 8 | (uint8_t)w[k]);
    }
    return last;
}

/* n products of each column; whole: n is a multiple of 8 above 0. Gives w + (n & -4). */
MG_INLINE const int8_t *dot_row(int whole, int32_t n, const mg_pair *x, const int8_t *w,
                                int32_t *sum) {
    const int8_t *twos = w + (n & -8);
    MG_ROLLED
    while (whole || w != twos) {
        add_word(&x, next_word(&w), sum);
        add_word(&x, next_word(&w), sum);
        MG_COMPLETE(twos); /* or it would lie in memory */
        if (whole && w == twos) {
            return w;
        }
    }
    if (n & 4) {
        add_word(&x, next_word(&w), sum);
    }
    if (n & 3) {
        add_word(&x, last_bytes(n, w), sum);
    }
    return w;
}

MG_INLINE void dot_rows(int whole, int32_t n, const mg_pair *columns, const int8_t *w,
                        int32_t w_row, int32_t rows, int32_t *sums) {
    int32_t *const end = sums + rows * MG_COLUMNS;
    const int32_t gap = w_row - (n & -4);
    MG_ROLLED
    while (sums != end) {
        int32_t sum[MG_COLUMNS] = {0};
        w = dot_row(whole, n, columns, w, sum) + gap;
        mg_store_four(&sums, sum);
    }
}

void mg_dot_rows(int32_t n, const mg_pair *columns, const int8_t *w, int32_t w_row, int32_t rows,
                 int32_t *sums) {
    if (n > 0 && n % 8 == 0) {
        dot_rows(1, n, columns, w, w_row, rows, sums);
    } else {
        dot_rows(0, n, columns, w, w_row, rows, sums);
    }
}
