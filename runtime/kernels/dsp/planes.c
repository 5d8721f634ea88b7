/* Channels of an image as planes of int16, two numbers of four channels at a time. */
#include "planes.h"
#include "arithmetic.h"

/* A number of each plane: the halves of `even` and `odd`, in turn. */
MG_INLINE void store_column(mg_pair even, mg_pair odd, int32_t plane, int16_t *to) {
    mg_store_half(to, even);
    mg_store_half(to + plane, odd);
    mg_store_half(to + 2 * plane, even >> 16);
    mg_store_half(to + 3 * plane, odd >> 16);
}

/* Two neighbouring numbers of each plane. */
MG_INLINE void store_columns(mg_pair even, mg_pair odd, mg_pair next_even, mg_pair next_odd,
                             int32_t plane, int16_t *to) {
    mg_store_word(to + plane, mg_pair_of(odd, next_odd));
    mg_store_word(to + 2 * plane, mg_upper_pair(even, next_even));
    mg_store_word(to + 3 * plane, mg_upper_pair(odd, next_odd));
    mg_store_word(to, mg_pair_of(even, next_even));
}

void mg_planes_of_s8(const mg_layout *l, int32_t rows, const int8_t *x, mg_pair offset,
                     int16_t *to) {
    const int32_t plane = l->plane, step = l->column, pairs = l->columns & -2;
    for (; rows > 0; --rows, x += l->row, to += l->width) {
        const int8_t *from = x;
        int16_t *next = to;
        if (l->channels != MG_PLANES) {
            MG_ROLLED
            for (int32_t k = 0; k < l->columns; ++k, from += step) {
                *next++ = (int16_t)(*from + (int16_t)offset);
            }
            continue;
        }
        MG_ROLLED
        for (const int16_t *const end = to + pairs; next != end; next += 2, from += 2 * step) {
            MG_COMPLETE(next); /* or there would be a pointer to each plane */
            const mg_bytes first = mg_load_word(from), second = mg_load_word(from + step);
            store_columns(mg_add_even_bytes(offset, first),
                          mg_add_even_bytes(offset, mg_odd_to_even(first)),
                          mg_add_even_bytes(offset, second),
                          mg_add_even_bytes(offset, mg_odd_to_even(second)), plane, next);
        }
        if (pairs != l->columns) {
            const mg_bytes last = mg_load_word(from);
            store_column(mg_add_even_bytes(offset, last),
                         mg_add_even_bytes(offset, mg_odd_to_even(last)), plane, next);
        }
    }
}

void mg_planes_of_s16(const mg_layout *l, int32_t rows, const int16_t *x, int16_t *to) {
    const int32_t plane = l->plane, step = l->column, pairs = l->columns & -2;
    for (; rows > 0; --rows, x += l->row, to += l->width) {
        const int16_t *from = x;
        int16_t *next = to;
        if (l->channels != MG_PLANES) {
            MG_ROLLED
            for (int32_t k = 0; k < l->columns; ++k, from += step) {
                *next++ = *from;
            }
            continue;
        }
        MG_ROLLED
        for (const int16_t *const end = to + pairs; next != end; next += 2, from += 2 * step) {
            MG_COMPLETE(next); /* or there would be a pointer to each plane */
            const mg_pair low = mg_load_word(from), high = mg_load_word(from + 2);
            const mg_pair next_low = mg_load_word(from + step);
            const mg_pair next_high = mg_load_word(from + step + 2);
            mg_store_word(next + plane, mg_upper_pair(low, next_low));
            mg_store_word(next + 2 * plane, mg_pair_of(high, next_high));
            mg_store_word(next + 3 * plane, mg_upper_pair(high, next_high));
            mg_store_word(next, mg_pair_of(low, next_low));
        }
        if (pairs != l->columns) {
            for (int32_t c = 0; c < MG_PLANES; ++c) {
                next[c * plane] = from[c];
            }
        }
    }
}

void mg_any_sums(const mg_taps *taps, const int16_t *x, int32_t rows, int32_t width,
                 int32_t *sums) {
    const mg_taps t = *taps;
    for (; rows > 0; --rows, x += t.row, sums += width) {
        MG_ROLLED
        for (int32_t first = 0; first < width; first += MG_RUN) {
            const int16_t *from = x + first * t.column, *w = t.w;
            int32_t sum[MG_RUN] = {0};
            for (int32_t k = 0; k < t.rows; ++k, from += t.down) {
                MG_ROLLED
                for (int32_t m = 0; m < t.pairs; ++m, w += 2) {
                    const mg_pair factor = mg_load_word(w);
                    MG_UNROLLED
                    for (int i = 0; i < MG_RUN; ++i) {
                        const mg_pair v = mg_load_word(from + i * t.column + 2 * m);
                        sum[i] = mg_add_products(sum[i], v, factor);
                    }
                }
            }
            MG_UNROLLED
            for (int i = 0; i < MG_RUN; ++i) {
                sums[first + i] = sum[i];
            }
        }
    }
}
