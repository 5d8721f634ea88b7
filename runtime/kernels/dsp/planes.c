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
            run_sums(pairs, stride, t.w, t.w + t.size, t.down, from, to);
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

static void none(const mg_taps *taps, const int16_t *x, int32_t rows, int32_t width,
                 int32_t *sums) {
    (void)taps;
    (void)x;
    __builtin_memset(sums, 0, (size_t)(rows * width) * sizeof *sums);
}

mg_plane_sums *mg_plane_sums_of(const mg_taps *taps) {
    static mg_plane_sums *const of[2][3] = {{step1_2, step1_3, step1_4},
                                            {step2_2, step2_3, step2_4}};
    const int32_t pairs = (taps->across + 1) / 2, step = taps->column;
    if (taps->size == 0) {
        return none;
    }
    if (taps->across == 3 && taps->size == 12 && step == 1 && taps->row == taps->down) {
        return mg_slide_3x3;
    }
    return pairs >= 2 && pairs <= 4 && step <= 2 ? of[step - 1][pairs - 2] : any;
}
