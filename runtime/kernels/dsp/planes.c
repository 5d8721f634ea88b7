/* Channels of an image as planes of int16, two numbers of four channels at a time. */
#include "planes.h"

void mg_row_of_s8(int32_t planes, int32_t count, const int8_t *x, int32_t step, mg_pair offset,
                  int16_t *to, int32_t plane) {
    for (; planes == MG_PLANES && count >= 2; count -= 2) {
        const mg_bytes first = mg_load_word(x), second = mg_load_word(x + step);
        const mg_pair even = mg_add_even_bytes(offset, first);
        const mg_pair next_even = mg_add_even_bytes(offset, second);
        const mg_pair odd = mg_add_even_bytes(offset, mg_odd_to_even(first));
        const mg_pair next_odd = mg_add_even_bytes(offset, mg_odd_to_even(second));
        mg_store_word(to, mg_pair_of(even, next_even));
        mg_store_word(to + plane, mg_pair_of(odd, next_odd));
        mg_store_word(to + 2 * plane, mg_upper_pair(even, next_even));
        mg_store_word(to + 3 * plane, mg_upper_pair(odd, next_odd));
        x += 2 * step;
        to += 2;
    }
    for (; count > 0; --count, x += step, ++to) {
        for (int32_t c = 0; c < planes; ++c) {
            to[c * plane] = (int16_t)(x[c] + (int16_t)offset);
        }
    }
}

void mg_row_of_s16(int32_t planes, int32_t count, const int16_t *x, int32_t step, int16_t *to,
                   int32_t plane) {
    for (; planes == MG_PLANES && count >= 2; count -= 2) {
        const mg_pair low = mg_load_word(x), high = mg_load_word(x + 2);
        const mg_pair next_low = mg_load_word(x + step), next_high = mg_load_word(x + step + 2);
        mg_store_word(to, mg_pair_of(low, next_low));
        mg_store_word(to + plane, mg_upper_pair(low, next_low));
        mg_store_word(to + 2 * plane, mg_pair_of(high, next_high));
        mg_store_word(to + 3 * plane, mg_upper_pair(high, next_high));
        x += 2 * step;
        to += 2;
    }
    for (; count > 0; --count, x += step, ++to) {
        for (int32_t c = 0; c < planes; ++c) {
            to[c * plane] = x[c];
        }
    }
}

MG_INLINE void run_sums(int32_t pairs, int32_t stride, const mg_taps *taps, const int16_t *x,
                        int32_t *sums) {
    const int16_t *const end = taps->end;
    const int32_t start = taps->start, down = taps->down;
    int32_t sum[MG_RUN];
    MG_UNROLLED
    for (int i = 0; i < MG_RUN; ++i) {
        sum[i] = start;
    }
    MG_ROLLED
    for (const int16_t *w = taps->w; w != end; w += 2 * pairs, x += down) {
        MG_UNROLLED
        for (int m = 0; m < pairs; ++m) {
            const mg_pair factor = mg_load_word(w + 2 * m);
            MG_UNROLLED
            for (int i = 0; i < MG_RUN; ++i) {
                sum[i] = mg_add_products(sum[i], mg_load_word(x + i * stride + 2 * m), factor);
            }
        }
    }
    MG_UNROLLED
    for (int i = 0; i < MG_RUN; ++i) {
        sums[i] = sum[i];
    }
}

#define RUN_SUMS(name, pairs, stride)                                                              \
    static void name(const mg_taps *taps, const int16_t *x, int32_t *sums) {                       \
        run_sums(pairs, stride, taps, x, sums);                                                    \
    }

RUN_SUMS(side_by_side_2, 2, 1)
RUN_SUMS(side_by_side_3, 3, 1)
RUN_SUMS(side_by_side_4, 4, 1)
RUN_SUMS(any_1, 1, taps->stride)
RUN_SUMS(any_2, 2, taps->stride)
RUN_SUMS(any_3, 3, taps->stride)
RUN_SUMS(any_4, 4, taps->stride)
RUN_SUMS(any, taps->pairs, taps->stride)

mg_run_sums *mg_run_sums_of(int32_t pairs, int32_t stride) {
    static mg_run_sums *const of[2][4] = {{any_1, any_2, any_3, any_4},
                                          {any_1, side_by_side_2, side_by_side_3, side_by_side_4}};
    return pairs >= 1 && pairs <= 4 ? of[stride == 1][pairs - 1] : any;
}
