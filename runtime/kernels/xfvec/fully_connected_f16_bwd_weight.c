/* The gradient of a fully connected layer's weights in half precision: the outer product of dy and
 * x, two inputs at a time. */
#include "xfvec.h"

enum { OUTPUTS = 4, WORDS = 4 };

/* An element of dy as what words of x are multiplied by: twice, or with a zero if their products
 * are added to something, which is rounded as a sum in single precision that rounds to half. */
typedef struct {
    mg_halves both, first, second;
} factor;

MG_INLINE mg_halves product(factor dy, mg_halves x, const mg_f16 *before) {
    if (before == NULL) {
        return mg_product(x, dy.both);
    }
    return mg_pack(mg_add_products((float)before[0], x, dy.first),
                   mg_add_products((float)before[1], x, dy.second));
}

/* The next words of x; all move on. */
MG_INLINE void step(int words, int outputs, int adds, const mg_f16 **x, const factor *dy,
                    const mg_f16 **gathered, mg_f16 **dw) {
    MG_UNROLLED
    for (int32_t k = 0; k < 2 * words; k += 2) {
        const mg_halves two = mg_load_halves(*x + k);
        MG_UNROLLED
        for (int j = 0; j < outputs; ++j) {
            mg_store_halves(dw[j] + k, product(dy[j], two, adds ? gathered[j] + k : NULL));
        }
    }
    *x += 2 * words;
    MG_UNROLLED
    for (int j = 0; j < outputs; ++j) {
        dw[j] += 2 * words;
        gathered[j] = adds ? gathered[j] + 2 * words : NULL;
        MG_COMPLETE(dw[j]);
    }
}

/* The weights of a few outputs; `adds` tells whether there is something gathered. */
MG_INLINE void tile(int outputs, int adds, int32_t in, const mg_f16 *x, const mg_f16 *dy0,
                    const mg_f16 *gathered, mg_f16 *dw) {
    const mg_f16 *from[OUTPUTS], *const end = x + in, *const last = end - in % (2 * WORDS);
    mg_f16 *to[OUTPUTS];
    factor dy[OUTPUTS];
    MG_UNROLLED
    for (int j = 0; j < outputs; ++j) {
        const float value = (float)dy0[j];
        dy[j] = (factor){mg_pack(value, value), mg_pack(value, 0), mg_pack(0, value)};
        to[j] = dw + j * in;
        from[j] = adds ? gathered + j * in : NULL;
    }
    MG_ROLLED
    while (x != last) {
        step(WORDS, outputs, adds, &x, dy, from, to);
    }
    MG_ROLLED
    while (x != end) {
        step(1, outputs, adds, &x, dy, from, to);
    }
}

MG_INLINE void row(int adds, const mg_fully_connected_params *p, const mg_f16 *x, const mg_f16 *dy,
                   const mg_f16 *gathered, mg_f16 *dw) {
    int32_t o = 0;
    MG_ROLLED
    for (; o + OUTPUTS <= p->out; o += OUTPUTS) {
        tile(OUTPUTS, adds, p->in, x, dy + o, adds ? gathered + o * p->in : NULL, dw + o * p->in);
    }
    MG_ROLLED
    for (; o < p->out; ++o) {
        tile(1, adds, p->in, x, dy + o, adds ? gathered + o * p->in : NULL, dw + o * p->in);
    }
}

void mg_fully_connected_f16_bwd_weight_xfvec(const mg_fully_connected_params *p, const mg_f16 *x,
                                             const mg_f16 *dy, const mg_f16 *gathered, mg_f16 *dw) {
    for (int32_t r = 0; r < p->rows; ++r, x += p->in, dy += p->out, gathered = dw) {
        if (gathered != NULL) {
            row(1, p, x, dy, gathered, dw);
        } else {
            row(0, p, x, dy, NULL, dw);
        }
    }
}
