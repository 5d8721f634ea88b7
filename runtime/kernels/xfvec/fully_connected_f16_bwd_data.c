/* The gradient of a fully connected layer's input in half precision. A word of weights is of two
 * inputs: its products with dy go to the sum of each by a word of dy and a zero. */
#include "xfvec.h"

enum { WORDS = 12, FEW = 4 }; /* the first are as many as have sums in the registers */

/* Neighbouring inputs of a row. */
MG_INLINE void tile(int words, const mg_fully_connected_params *p, const mg_f16 *dy,
                    const mg_f16 *w, mg_f16 *dx) {
    float sums[WORDS][2] = {{0}};
    MG_ROLLED
    for (const mg_f16 *const end = dy + p->out; dy != end; ++dy, w += p->in) {
        const mg_halves first = mg_pack((float)*dy, 0), second = mg_pack(0, (float)*dy);
        MG_UNROLLED
        for (int i = 0; i < words; ++i) {
            const mg_halves two = mg_load_halves(w + 2 * i);
            sums[i][0] = mg_add_products(sums[i][0], two, first);
            sums[i][1] = mg_add_products(sums[i][1], two, second);
        }
    }
    MG_UNROLLED
    for (int i = 0; i < words; ++i) {
        mg_store_halves(dx + 2 * i, mg_pack(sums[i][0], sums[i][1]));
    }
}

void mg_fully_connected_f16_bwd_data_xfvec(const mg_fully_connected_params *p, const mg_f16 *dy,
                                           const mg_f16 *w, mg_f16 *dx) {
    for (int32_t row = 0; row < p->rows; ++row, dy += p->out, dx += p->in) {
        int32_t i = 0;
        MG_ROLLED
        for (; i + 2 * WORDS <= p->in; i += 2 * WORDS) {
            tile(WORDS, p, dy, w + i, dx + i);
        }
        MG_ROLLED
        for (; i + 2 * FEW <= p->in; i += 2 * FEW) {
            tile(FEW, p, dy, w + i, dx + i);
        }
        MG_ROLLED
        for (; i < p->in; i += 2) {
            tile(1, p, dy, w + i, dx + i);
        }
    }
}
