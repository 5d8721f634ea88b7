/* The body of the gradient of a fully connected layer's weights: the outer product of dy and x.
 * Its input is that of input_real.h or input_s8.h, which stands before it. */
#include "mg_cores.h"
#include "tile_f32.h"

MG_INLINE void step(int outputs, int adds, const QUANT *q, const INPUT *x, const float *dy,
                    int32_t k, const REAL *const *gathered, REAL *const *dw) {
    float value;
    load_inputs(1, 0, q, x + k, &value);
    MG_UNROLLED
    for (int j = 0; j < outputs; ++j) {
        const float product = dy[j] * value;
        dw[j][k] = (REAL)(adds ? (float)gathered[j][k] + product : product);
    }
}

/* The weights of a few outputs; `adds` tells whether there is something gathered. */
MG_INLINE void tile(int outputs, int adds, int32_t in, const QUANT *q, const INPUT *x,
                    const REAL *dy0, const REAL *gathered, REAL *dw) {
    const REAL *from[MG_TILE];
    REAL *to[MG_TILE];
    float dy[MG_TILE];
    MG_UNROLLED
    for (int j = 0; j < outputs; ++j) {
        dy[j] = scaled(q, (float)dy0[j]);
        to[j] = dw + j * in;
        from[j] = adds ? gathered + j * in : NULL;
    }
    int32_t left = in;
    MG_ROLLED
    for (; left >= MG_UNROLL; left -= MG_UNROLL) {
        MG_UNROLLED
        for (int32_t k = 0; k < MG_UNROLL; ++k) {
            step(outputs, adds, q, x, dy, k, from, to);
        }
        x += MG_UNROLL;
        MG_UNROLLED
        for (int j = 0; j < outputs; ++j) {
            to[j] += MG_UNROLL;
            from[j] = adds ? from[j] + MG_UNROLL : NULL;
        }
    }
    MG_ROLLED
    for (int32_t k = 0; k < left; ++k) {
        step(outputs, adds, q, x, dy, k, from, to);
    }
}

MG_INLINE void row(int adds, const mg_fully_connected_params *p, const QUANT *q, const INPUT *x,
                   const REAL *dy, const REAL *gathered, REAL *dw, mg_part part) {
    int32_t o = part.first;
    for (; o + MG_TILE <= part.end; o += MG_TILE) {
        tile(MG_TILE, adds, p->in, q, x, dy + o, adds ? gathered + o * p->in : NULL,
             dw + o * p->in);
    }
    MG_ROLLED
    for (; o < part.end; ++o) {
        tile(1, adds, p->in, q, x, dy + o, adds ? gathered + o * p->in : NULL, dw + o * p->in);
    }
}

static inline void weight_gradient(const mg_fully_connected_params *p, const QUANT *q,
                                   const INPUT *x, const REAL *dy, const REAL *gathered, REAL *dw) {
    const mg_part part = mg_share(p->out, 1);
    for (int32_t r = 0; r < p->rows; ++r) {
        if (gathered != NULL) {
            row(1, p, q, x, dy, gathered, dw, part);
        } else {
            row(0, p, q, x, dy, NULL, dw, part);
        }
        gathered = dw;
        x += p->in;
        dy += p->out;
    }
}
