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

#define MG_TILE_WORDS_S8 4 /* as many as the general registers hold sums of */

#if defined(__ARM_FEATURE_DSP) || UINTPTR_MAX > UINT32_MAX
#define MG_WORD_PIXELS_S8 2
#define MG_EXACT_S8       128 /* products that a sum of words can hold */
#define MG_SECOND_S8      23  /* position of a word's second pixel */
typedef int32_t mg_word_s8;
typedef int64_t mg_partial_s8;
#else
#define MG_WORD_PIXELS_S8 1
#define MG_EXACT_S8       INT32_MAX
typedef int16_t mg_word_s8;
typedef int32_t mg_partial_s8;
#endif

#define MG_TILE_PIXELS_S8 (MG_TILE_WORDS_S8 * MG_WORD_PIXELS_S8)

/* The word of the inputs `at` of its pixels. */
MG_INLINE mg_word_s8 mg_word(const int8_t *const *x, int32_t at, int32_t zero_point) {
#if MG_WORD_PIXELS_S8 == 2
    const int32_t second = 1 << MG_SECOND_S8;
    return x[0][at] + x[1][at] * second - zero_point * (1 + second);
#else
    return (mg_word_s8)(x[0][at] - zero_point);
#endif
}

MG_INLINE void mg_clear_s8(mg_partial_s8 *sums) {
    MG_UNROLLED
    for (int i = 0; i < MG_TILE_WORDS_S8; ++i) {
#if MG_WORD_PIXELS_S8 == 2
        sums[i] = 1 << (MG_SECOND_S8 - 1); /* keeps the first part from being negative */
#else
        sums[i] = 0;
#endif
    }
}

MG_INLINE void mg_add_products_s8(const mg_word_s8 *x, int32_t w, mg_partial_s8 *sums) {
    MG_UNROLLED
    for (int i = 0; i < MG_TILE_WORDS_S8; ++i) {
        sums[i] += (mg_partial_s8)x[i] * w;
    }
}

/* The sum of each pixel; `further`: added to what there is. */
MG_INLINE void mg_split_s8(const mg_partial_s8 *sums, int further, int32_t *pixels) {
    MG_UNROLLED
    for (int i = 0; i < MG_TILE_WORDS_S8; ++i) {
#if MG_WORD_PIXELS_S8 == 2
        const int32_t half = 1 << (MG_SECOND_S8 - 1);
        const int32_t first = ((int32_t)sums[i] & (2 * half - 1)) - half;
        const int32_t second = (int32_t)(sums[i] >> MG_SECOND_S8);
        pixels[2 * i] = further ? pixels[2 * i] + first : first;
        pixels[2 * i + 1] = further ? pixels[2 * i + 1] + second : second;
#else
        pixels[i] = further ? pixels[i] + sums[i] : sums[i];
#endif
    }
}

#endif
