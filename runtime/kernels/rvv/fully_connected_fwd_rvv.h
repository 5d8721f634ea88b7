/* The body of a float fully connected layer, forward: the lanes of three outputs are summed at
 * last. */
#include "arithmetic.h"

#define OUTPUTS 3

/* A few outputs of one row. */
MG_INLINE void tile(int outputs, const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                    const REAL *x, const REAL *w, const REAL *b, int32_t channel, REAL *y) {
    float totals[OUTPUTS] = {0.0f};
    const REAL *row = w + channel * p->in;
    for (int32_t left = p->in; left > 0;) {
        const size_t n = mg_lanes(left);
        mg_sums first = mg_all(0.0f, n), second = first, third = first;
        MG_ROLLED
        for (; left >= (int32_t)n; left -= (int32_t)n) {
            const mg_vector inputs = mg_load(x, n);
            first = mg_add_products(first, inputs, mg_load(row, n), n);
            if (outputs > 1) {
                second = mg_add_products(second, inputs, mg_load(row + p->in, n), n);
            }
            if (outputs > 2) {
                third = mg_add_products(third, inputs, mg_load(row + 2 * p->in, n), n);
            }
            x += n;
            row += n;
        }
        totals[0] += mg_total(first, n);
        if (outputs > 1) {
            totals[1] += mg_total(second, n);
        }
        if (outputs > 2) {
            totals[2] += mg_total(third, n);
        }
    }
    MG_UNROLLED
    for (int i = 0; i < outputs; ++i) {
        const float start = b != NULL ? (float)b[channel + i] : 0.0f;
        y[channel + i] = (REAL)mg_limit_f32(totals[i] + start, *q);
    }
}

void KERNEL(fully_connected, fwd_rvv)(const mg_fully_connected_params *p, const mg_clamp_f32 *q,
                                      const REAL *x, const REAL *w, const REAL *b, REAL *y) {
    for (int32_t row = 0; row < p->rows; ++row) {
        int32_t channel = 0;
        for (; channel + OUTPUTS <= p->out; channel += OUTPUTS) {
            tile(OUTPUTS, p, q, x, w, b, channel, y);
        }
        for (; channel < p->out; ++channel) {
            tile(1, p, q, x, w, b, channel, y);
        }
        x += p->in;
        y += p->out;
    }
}
