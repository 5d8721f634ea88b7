/* Depthwise correlations: a position of x adds to the sums of the three of y whose windows it is
 * in, the first of which is then complete. */
#include "depthwise_correlate.h"

typedef struct {
    mg_halves w[MG_TAPS][MG_TAPS][2];
    float bias[2], sums[MG_TAPS - 1][2];
} state;

MG_INLINE void start(state *s) {
    MG_UNROLLED
    for (int i = 0; i < MG_TAPS - 1; ++i) {
        s->sums[i][0] = s->bias[0];
        s->sums[i][1] = s->bias[1];
    }
}

/* The first sums move out, and the others on. */
MG_INLINE void take(state *s, const float *last, float *result) {
    MG_UNROLLED
    for (int c = 0; c < 2; ++c) {
        result[c] = s->sums[0][c];
        s->sums[0][c] = s->sums[1][c];
        s->sums[1][c] = last[c];
    }
}

MG_INLINE void step(state *s, mg_lines *x, float *result) {
    mg_halves words[MG_TAPS];
    float last[2] = {s->bias[0], s->bias[1]};
    mg_next_words(x, words);
    MG_UNROLLED
    for (int ky = 0; ky < MG_TAPS; ++ky) {
        MG_UNROLLED
        for (int c = 0; c < 2; ++c) {
            s->sums[0][c] = mg_add_products(s->sums[0][c], words[ky], s->w[ky][2][c]);
            s->sums[1][c] = mg_add_products(s->sums[1][c], words[ky], s->w[ky][1][c]);
            last[c] = mg_add_products(last[c], words[ky], s->w[ky][0][c]);
        }
    }
    take(s, last, result);
}

/* Limits of pairs would make a number of what is none: then they are taken one by one. */
MG_INLINE void store(const float *sums, const mg_clamp_f32 *q, mg_f16 *y) {
    mg_halves two = mg_pack(sums[0], sums[1]);
    if (q != NULL) {
        const float both = sums[0] + sums[1];
        if (both == both) {
            two = mg_smaller(mg_larger(two, mg_pack(q->low, q->low)), mg_pack(q->high, q->high));
        } else {
            two = mg_pack(mg_limit_f32(sums[0], *q), mg_limit_f32(sums[1], *q));
        }
    }
    mg_store_halves(y, two);
}

MG_INLINE void row(mg_way way, const mg_clamp_f32 *q, state *s, mg_lines x, mg_f16 *y) {
    const int32_t skipped = mg_min(MG_TAPS - 1 - way.pad, way.in);
    mg_f16 *const end = y + way.out * way.out_step;
    int32_t left = way.in - skipped;
    float result[2];
    start(s);
    MG_ROLLED
    for (int32_t i = 0; i < skipped; ++i) {
        step(s, &x, result);
    }
    MG_ROLLED
    for (; left >= MG_TAPS; left -= MG_TAPS) {
        MG_UNROLLED
        for (int i = 0; i < MG_TAPS; ++i) { /* and all sums are where they were */
            step(s, &x, result);
            store(result, q, y);
            y += way.out_step;
            MG_COMPLETE(y);
        }
    }
    MG_ROLLED
    for (; left > 0; --left) {
        step(s, &x, result);
        store(result, q, y);
        y += way.out_step;
    }
    MG_ROLLED
    for (; y != end; y += way.out_step) {
        take(s, s->bias, result);
        store(result, q, y);
    }
}

void mg_depthwise_correlate(const mg_conv2d_params *p, const mg_clamp_f32 *q, const mg_f16 *x,
                            const mg_f16 *w, int32_t tap, const mg_f16 *b, mg_f16 *y) {
    const mg_clamp_f32 *const limits = q != NULL && mg_limits_f32(*q) ? q : NULL;
    const mg_sweep sweep = mg_sweep_of(p, tap);
    for (int32_t c = 0; c < p->in_c; c += 2) {
        const mg_f16 *from = x + c - sweep.over.pad * sweep.over.in_step;
        mg_f16 *to = y + c;
        int32_t first = -sweep.over.pad;
        state s;
        MG_UNROLLED
        for (int i = 0; i < 2; ++i) {
            s.bias[i] = b != NULL ? (float)b[c + i] : 0.0F;
        }
        MG_UNROLLED
        for (int i = 0; i < MG_TAPS * MG_TAPS; ++i) {
            const int32_t row = i / MG_TAPS * sweep.over.tap_step;
            const int32_t column = i % MG_TAPS * sweep.along.tap_step;
            mg_part(mg_load_halves(w + row + column + c), s.w[i / MG_TAPS][i % MG_TAPS]);
        }
        MG_ROLLED
        for (int32_t left = sweep.over.out; left > 0; --left) {
            row(sweep.along, limits, &s, mg_lines_of(from, first++, &sweep), to);
            from += sweep.over.in_step;
            to += sweep.over.out_step;
        }
    }
}
