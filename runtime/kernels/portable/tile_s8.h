/* The register tile of int8 convolutions: the sums of one channel for a few pixels.
 *
 * Inputs are first laid out as words, counted from their zero point. Where a long multiply-add is
 * one instruction, a word holds the inputs of two pixels, first + second * 2^23, and one product
 * with a weight serves both: in a sum of 128 of them the first part stays below 2^22.
 */
#ifndef MG_TILE_S8_H
#define MG_TILE_S8_H

#include "arithmetic.h"
#include "tile.h"

#define MG_RUN_S8 4 /* words whose sums the general registers hold */

#if defined(__ARM_FEATURE_DSP) || UINTPTR_MAX > UINT32_MAX
#define MG_WORD_PIXELS_S8 2
#define MG_EXACT_S8       128                       /* products that a sum of words can hold */
#define MG_SECOND_S8      23                        /* position of a word's second pixel */
#define MG_EXCESS_S8      (1 << (MG_SECOND_S8 - 1)) /* keeps the first from being negative */
typedef int32_t mg_word_s8;
typedef int64_t mg_partial_s8;
#else
#define MG_WORD_PIXELS_S8 1
#define MG_EXACT_S8       (1 << 14)
#define MG_EXCESS_S8      0
typedef int16_t mg_word_s8;
typedef int32_t mg_partial_s8;
#endif

typedef int32_t mg_sums_s8[MG_WORD_PIXELS_S8][MG_RUN_S8];

/* The word of the inputs at x[0][k] and, of its second pixel, x[second][k]. */
MG_INLINE mg_word_s8 mg_word(const int8_t *const *x, int second, int32_t k, int32_t zero_point) {
#if MG_WORD_PIXELS_S8 == 2
    const int32_t one = 1 << MG_SECOND_S8;
    return x[0][k] + x[second][k] * one - zero_point * (1 + one);
#else
    (void)second;
    return (mg_word_s8)(x[0][k] - zero_point);
#endif
}

MG_INLINE void mg_clear_s8(mg_partial_s8 *sums) {
    MG_UNROLLED
    for (int i = 0; i < MG_RUN_S8; ++i) {
        sums[i] = MG_EXCESS_S8;
    }
}

MG_INLINE void mg_add_products_s8(const mg_word_s8 *x, int32_t w, mg_partial_s8 *sums) {
    MG_UNROLLED
    for (int i = 0; i < MG_RUN_S8; ++i) {
        sums[i] += (mg_partial_s8)x[i] * w;
#if MG_WORD_PIXELS_S8 == 1
        MG_COMPLETE(sums[i]);
#else
        if (i % 2 == 1) {
            MG_KEEP_ORDER(); /* and two words are loaded at once */
        }
#endif
    }
}

/* The sums of each pixel, those of first ones MG_EXCESS_S8 too large; `further` not 0: added to
 * what there is. */
MG_INLINE void mg_split_s8(const mg_partial_s8 *words, int32_t further, mg_sums_s8 sums) {
    MG_UNROLLED
    for (int i = 0; i < MG_RUN_S8; ++i) {
#if MG_WORD_PIXELS_S8 == 2
        const int32_t first = (int32_t)words[i] & ((1 << MG_SECOND_S8) - 1);
        const int32_t second = (int32_t)(words[i] >> MG_SECOND_S8);
        sums[0][i] = further ? sums[0][i] + first - MG_EXCESS_S8 : first;
        sums[1][i] = further ? sums[1][i] + second : second;
#else
        sums[0][i] = further ? sums[0][i] + words[i] : words[i];
#endif
    }
}

#endif
