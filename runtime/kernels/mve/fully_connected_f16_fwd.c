/* Fully connected layer, half, forward: dot products of x and rows of weights. */
#include "mve_f16.h"

#define OUTPUTS 4 /* at a time */

/* Eight products of each output, or fewer that are left. */
MG_INLINE void add_eight(int outputs, int whole, int32_t count, const mg_f16 *x,
                         const mg_f16 *const *w, mg_halves *sums) {
    const mg_halves row = whole ? mg_load(x) : mg_load_first(x, count);
    MG_UNROLLED
    for (int j = 0; j < OUTPUTS; ++j) {
        if (j < outputs) {
            const mg_halves weights = whole ? mg_load(w[j]) : mg_load_first(w[j], count);
            sums[j] = mg_add_products(sums[j], row, weights);
        }
    }
}

/* A few outputs of a row; b NULL: no biases. */
MG_INLINE void tile(int outputs, int32_t in, const mg_clamp_f32 *q, const mg_f16 *x,
                    const mg_f16 *w, const mg_f16 *b, mg_f16 *y) {
    const mg_f16 *from[OUTPUTS];
    float totals[OUTPUTS];
    MG_UNROLLED
    for (int j = 0; j < OUTPUTS; ++j) {
        const int k = j % outputs;
        from[j] = w + k * in;
        totals[j] = b != NULL ? (float)b[k] : 0;
    }
    MG_ROLLED
    for (int32_t left = in; left > 0;) {
        const int32_t n = mg_min(left, MG_IN_HALF * MG_HALVES);
        mg_halves sums[OUTPUTS];
        MG_UNROLLED
        for (int j = 0; j < OUTPUTS; ++j) {
            sums[j] = mg_no_halves();
        }
        MG_ROLLED
        for (int32_t vectors = n / MG_HALVES; vectors > 0; --vectors) {
            add_eight(outputs, 1, MG_HALVES, x, from, sums);
            x += MG_HALVES;
            MG_UNROLLED
            for (int j = 0; j < OUTPUTS; ++j) {
                from[j] += MG_HALVES;
            }
        }
        if (n % MG_HALVES != 0) { /* the last ones of all */
            add_eight(outputs, 0, n % MG_HALVES, x, from, sums);
        }
        MG_UNROLLED
        for (int j = 0; j < OUTPUTS; ++j) {
            totals[j] += mg_sum(sums[j]);
        }
        left -= n;
    }
    MG_UNROLLED
    for (int j = 0; j < OUTPUTS; ++j) {
        if (j < outputs) {
            y[j] = (mg_f16)mg_limit_f32(totals[j], *q);
        }
    }
}

void mg_fully_connected_f16_fwd_mve(const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                                    const mg_f16 *x, const mg_f16 *w, const mg_f16 *b, mg_f16 *y) {
    for (int32_t r = 0; r < p->rows; ++r, x += p->in, y += p->out) {
        int32_t o = 0;
        for (; o + OUTPUTS <= p->out; o += OUTPUTS) {
            tile(OUTPUTS, p->in, q, x, w + o * p->in, b != NULL ? b + o : NULL, y + o);
        }
        for (; o < p->out; ++o) {
            tile(1, p->in, q, x, w + o * p->in, b != NULL ? b + o : NULL, y + o);
        }
    }
}
