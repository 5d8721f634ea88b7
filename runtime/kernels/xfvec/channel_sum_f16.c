/* Sum over positions of each channel of a gradient in half precision: the dot product of its word
 * with one whose other half is zero. */
#include "arithmetic.h"
#include "xfvec.h"

enum { WORDS = 4 };

/* Neighbouring channels of all positions. */
MG_INLINE void tile(int words, const mg_channel_sum_params *p, const mg_f16 *dy,
                    const mg_f16 *gathered, mg_f16 *sum) {
    const mg_halves first = mg_pack(1, 0), second = mg_pack(0, 1);
    float sums[WORDS][2];
    MG_UNROLLED
    for (int i = 0; i < words; ++i) {
        sums[i][0] = gathered != NULL ? (float)gathered[2 * i] : 0.0F;
        sums[i][1] = gathered != NULL ? (float)gathered[2 * i + 1] : 0.0F;
    }
    MG_ROLLED
    for (int32_t left = p->positions; left > 0; --left, dy += p->channels) {
        MG_UNROLLED
        for (int i = 0; i < words; ++i) {
            const mg_halves two = mg_load_halves(dy + 2 * i);
            sums[i][0] = mg_add_products(sums[i][0], two, first);
            sums[i][1] = mg_add_products(sums[i][1], two, second);
        }
    }
    MG_UNROLLED
    for (int i = 0; i < words; ++i) {
        mg_store_halves(sum + 2 * i, mg_pack(sums[i][0], sums[i][1]));
    }
}

void mg_channel_sum_f16_fwd_xfvec(const mg_channel_sum_params *p, const mg_f16 *dy,
                                  const mg_f16 *gathered, mg_f16 *sum) {
    for (int32_t c = 0, taken; c < p->channels; c += taken) {
        const mg_f16 *const before = gathered != NULL ? gathered + c : NULL;
        taken = p->channels - c < 2 * WORDS ? 2 : 2 * WORDS;
        if (taken == 2) {
            tile(1, p, dy + c, before, sum + c);
        } else {
            tile(WORDS, p, dy + c, before, sum + c);
        }
    }
}
