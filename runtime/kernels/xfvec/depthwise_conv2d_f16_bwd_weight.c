/* The gradient of a depthwise convolution's weights in half precision: each position of x meets
 * the three of dy whose windows it is in. */
#include <stddef.h>

#include "depthwise.h"

typedef struct {
    mg_halves dy[MG_TAPS][2]; /* by the column of the tap that meets it */
    float sums[MG_TAPS][MG_TAPS][2];
} state;

/* The next of dy. */
MG_INLINE void move(state *s, mg_halves dy) {
    MG_UNROLLED
    for (int c = 0; c < 2; ++c) {
        s->dy[2][c] = s->dy[1][c];
        s->dy[1][c] = s->dy[0][c];
    }
    mg_part(dy, s->dy[0]);
}

MG_INLINE void step(state *s, mg_lines *x) {
    mg_halves words[MG_TAPS];
    mg_next_words(x, words);
    MG_UNROLLED
    for (int i = 0; i < 2 * MG_TAPS * MG_TAPS; ++i) {
        const int ky = i / (2 * MG_TAPS), kx = i / 2 % MG_TAPS, c = i % 2;
        s->sums[ky][kx][c] = mg_add_products(s->sums[ky][kx][c], words[ky], s->dy[kx][c]);
    }
}

MG_INLINE void row(mg_way way, state *s, mg_lines x, const mg_f16 *dy) {
    const int32_t ahead = mg_min(way.pad, way.out);
    int32_t left = mg_min(way.in, way.out - ahead);
    MG_UNROLLED
    for (int i = 0; i < MG_TAPS - 1; ++i) {
        s->dy[i][0] = s->dy[i][1] = mg_pack(0, 0);
    }
    MG_ROLLED
    for (int32_t i = 0; i < ahead; ++i, dy += way.out_step) {
        move(s, mg_load_halves(dy));
    }
    MG_ROLLED
    for (; left >= MG_TAPS; left -= MG_TAPS) {
        MG_UNROLLED
        for (int i = 0; i < MG_TAPS; ++i) { /* and each dy is where the first was */
            move(s, mg_load_halves(dy));
            dy += way.out_step;
            MG_COMPLETE(dy);
            step(s, &x);
        }
    }
    MG_ROLLED
    for (; left > 0; --left, dy += way.out_step) {
        move(s, mg_load_halves(dy));
        step(s, &x);
    }
    MG_ROLLED
    for (left = way.in - way.out + ahead; left > 0; --left) {
        move(s, mg_pack(0, 0));
        step(s, &x);
    }
}

void mg_depthwise_conv2d_f16_bwd_weight_xfvec(const mg_conv2d_params *p, const mg_f16 *x,
                                              const mg_f16 *dy, const mg_f16 *gathered,
                                              mg_f16 *dw) {
    const mg_sweep sweep = mg_sweep_of(p, p->in_c);
    for (int32_t c = 0; c < p->in_c; c += 2) {
        const mg_f16 *from = x + c - sweep.over.pad * sweep.over.in_step, *met = dy + c;
        int32_t first = -sweep.over.pad;
        state s = {0};
        MG_ROLLED
        for (int32_t left = sweep.over.out; left > 0; --left) {
            row(sweep.along, &s, mg_lines_of(from, first++, &sweep), met);
            from += sweep.over.in_step;
            met += sweep.over.out_step;
        }
        MG_UNROLLED
        for (int i = 0; i < 2 * MG_TAPS * MG_TAPS; ++i) {
            const int ky = i / (2 * MG_TAPS), kx = i / 2 % MG_TAPS;
            const int32_t at = ky * sweep.over.tap_step + kx * sweep.along.tap_step + c + i % 2;
            const float before = gathered != NULL ? (float)gathered[at] : 0.0F;
            dw[at] = (mg_f16)(s.sums[ky][kx][i % 2] + before);
        }
    }
}
