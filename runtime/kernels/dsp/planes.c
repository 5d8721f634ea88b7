/* Channels of an image as planes of int16, two numbers of four channels at a time. */
#include "planes.h"
#include "arithmetic.h"

void mg_row_of_s8(int32_t planes, int32_t count, const int8_t *x, int32_t step, mg_pair offset,
                  int16_t *to, int32_t plane) {
    MG_ROLLED
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
    MG_ROLLED
    for (; count > 0; --count, x += step, ++to) {
        MG_ROLLED
        for (int32_t c = 0; c < planes; ++c) {
            to[c * plane] = (int16_t)(x[c] + (int16_t)offset);
        }
    }
}

void mg_row_of_s16(int32_t planes, int32_t count, const int16_t *x, int32_t step, int16_t *to,
                   int32_t plane) {
    MG_ROLLED
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
    MG_ROLLED
    for (; count > 0; --count, x += step, ++to) {
        MG_ROLLED
        for (int32_t c = 0; c < planes; ++c) {
            to[c * plane] = x[c];
        }
    }
}

/* Of MG_RUN neighbouring results. */
MG_INLINE void run_sums(int32_t pairs, int32_t stride, const int16_t *w, const int16_t *end,
                        int32_t down, const int16_t *x, int32_t *sums) {
    int32_t sum[MG_RUN] = {0};
    MG_ROLLED
    do {
        MG_UNROLLED
        for (int m = 0; m < pairs; ++m) {
            const mg_pair factor = mg_load_word(w + 2 * m);
            MG_UNROLLED
            for (int i = 0; i < MG_RUN; ++i) {
                sum[i] = mg_add_products(sum[i], mg_load_word(x + i * stride + 2 * m), factor);
            }
        }
        w += 2 * pairs;
        x += down;
        MG_COMPLETE(w); /* or there would be several pointers */
    } while (w != end);
    MG_UNROLLED
    for (int i = 0; i < MG_RUN; ++i) {
        sums[i] = sum[i];
    }
}

MG_INLINE void plane_sums(int32_t pairs, int32_t stride, const mg_taps *taps, const int16_t *x,
                          int32_t rows, int32_t width, int32_t *sums) {
    const mg_taps t = *taps;
    MG_ROLLED
    for (; rows > 0; --rows, x += t.row, sums += width) {
        const int16_t *from = x;
        int32_t *to = sums;
        int32_t left = width; /* runs may overlap */
        for (;;) {
            run_sums(pairs, stride, t.w, t.end, t.down, from, to);
            left -= MG_RUN;
            if (left <= 0) {
                break;
            }
            const int32_t move = mg_min(left, MG_RUN);
            from += move * stride;
            to += move;
        }
    }
}

#define PLANE_SUMS(name, pairs, stride)                                                            \
    static void name(const mg_taps *taps, const int16_t *x, int32_t rows, int32_t width,           \
                     int32_t *sums) {                                                              \
        plane_sums(pairs, stride, taps, x, rows, width, sums);                                     \
    }

PLANE_SUMS(step1_2, 2, 1)
PLANE_SUMS(step1_3, 3, 1)
PLANE_SUMS(step1_4, 4, 1)
PLANE_SUMS(step2_2, 2, 2)
PLANE_SUMS(step2_3, 3, 2)
PLANE_SUMS(step2_4, 4, 2)
PLANE_SUMS(any, (taps->across + 1) / 2, taps->column)

void mg_plane_sums(const mg_taps *taps, const int16_t *x, int32_t rows, int32_t width,
                   int32_t *sums) {
    typedef void plane_sums_of(const mg_taps *, const int16_t *, int32_t, int32_t, int32_t *);
    static plane_sums_of *const of[2][3] = {{step1_2, step1_3, step1_4},
                                            {step2_2, step2_3, step2_4}};
    if (taps->w == taps->end) {
        __builtin_memset(sums, 0, (size_t)(rows * width) * sizeof *sums);
        return;
    }
    const int32_t pairs = (taps->across + 1) / 2, step = taps->column;
    const int is_3x3 = taps->across == 3 && taps->end - taps->w == 12;
    plane_sums_of *sums_of = any;
    if (is_3x3 && step == 1 && taps->row == taps->down) {
        sums_of = mg_slide_3x3;
    } else if (pairs >= 2 && pairs <= 4 && step <= 2) {
        sums_of = of[step - 1][pairs - 2];
    }
    sums_of(taps, x, rows, width, sums);
}
