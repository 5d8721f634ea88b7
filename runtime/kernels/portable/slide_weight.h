/* The weights' gradient of the common depthwise window, 3x3 at unit stride.
 *
 * A row of the source is swept along its columns: each element multiplies the three gradients
 * whose windows hold it, which stay in registers from column to column. The input is that of
 * input_real.h or input_s8.h, which stands before it.
 */
#include "load_f32.h"
#include "mg_cores.h"
#include "span.h"

/* The gradients that a column's taps meet, by the column that met them first modulo 3, and the sums
 * of each tap. */
typedef struct {
    float dy[3][MG_LANES], sums[3][3][MG_LANES];
} weight_sweep;

/* Adds `rows` elements of the next column, which is `phase` modulo 3 and whose first gradient is
 * there. */
MG_INLINE void weight_sweep_column(int rows, int lanes, int phase, weight_sweep *s, const QUANT *q,
                                   const INPUT **x, int32_t step) {
    MG_UNROLLED
    for (int r = 0; r < rows; ++r) {
        float value[MG_LANES];
        load_inputs(lanes, 3 + r % 2, q, x[r], value);
        x[r] += step;
        MG_UNROLLED
        for (int k = 0; k < 3; ++k) {
            MG_UNROLLED
            for (int c = 0; c < lanes; ++c) {
                s->sums[r][k][c] += value[c] * s->dy[(phase + 3 - k) % 3][c];
            }
        }
    }
    MG_KEEP_ORDER();
}

/* The next column is 0 modulo 3 again. */
MG_INLINE void weight_sweep_on(int lanes, weight_sweep *s) {
    MG_UNROLLED
    for (int c = 0; c < lanes; ++c) {
        s->dy[1][c] = s->dy[2][c];
        s->dy[2][c] = s->dy[0][c];
    }
}

/* Adds a row: columns that meet a further gradient each, and `last` ones that meet none. */
MG_INLINE void weight_sweep_row(int rows, int lanes, weight_sweep *s, const QUANT *q,
                                const INPUT **x, const REAL *dy, int32_t step, int32_t columns,
                                int32_t last) {
    if (rows == 3 && lanes == MG_LANES) {
        MG_ROLLED
        for (; columns >= 3; columns -= 3) {
            MG_UNROLLED
            for (int phase = 0; phase < 3; ++phase) {
                mg_load_f32(lanes, phase, dy, s->dy[phase]);
                weight_sweep_column(rows, lanes, phase, s, q, x, step);
                dy += step;
            }
        }
    }
    MG_ROLLED
    for (; columns > 0; --columns) {
        mg_load_f32(lanes, 0, dy, s->dy[0]);
        weight_sweep_column(rows, lanes, 0, s, q, x, step);
        weight_sweep_on(lanes, s);
        dy += step;
    }
    MG_ROLLED
    for (; last > 0; --last) {
        MG_UNROLLED
        for (int c = 0; c < lanes; ++c) {
            s->dy[0][c] = 0.0f;
        }
        weight_sweep_column(rows, lanes, 0, s, q, x, step);
        weight_sweep_on(lanes, s);
    }
}

/* Adds to dw what a band of rows gives that all have `rows` taps inside the image. */
MG_INLINE void weight_band(int rows, int lanes, const mg_conv2d_params *p, const QUANT *q,
                           int32_t count, const INPUT *x, const REAL *dy, REAL *dw) {
    const int32_t step = p->in_c;
    weight_sweep s;
    MG_UNROLLED
    for (int r = 0; r < rows; ++r) {
        MG_UNROLLED
        for (int k = 0; k < 3; ++k) {
            MG_UNROLLED
            for (int c = 0; c < lanes; ++c) {
                s.sums[r][k][c] = 0.0f;
            }
        }
    }
    for (; count > 0; --count) {
        const INPUT *from[3];
        MG_UNROLLED
        for (int r = 0; r < rows; ++r) {
            from[r] = x + r * p->in_w * step;
        }
        const int32_t left = p->pad_left, end = mg_min(p->in_w, p->out_w - left + 2);
        const int32_t columns = mg_max(mg_min(end, p->out_w - left), 0);
        /* The gradients left of the one that the first column meets first. */
        MG_UNROLLED
        for (int c = 0; c < lanes; ++c) {
            s.dy[2][c] = left >= 1 && left <= p->out_w ? (float)dy[(left - 1) * step + c] : 0.0f;
            s.dy[1][c] =
                left >= 2 && left <= p->out_w + 1 ? (float)dy[(left - 2) * step + c] : 0.0f;
        }
        weight_sweep_row(rows, lanes, &s, q, from, dy + left * step, step, columns, end - columns);
        x += p->in_w * step;
        dy += p->out_w * step;
    }
    MG_UNROLLED
    for (int r = 0; r < rows; ++r) {
        MG_UNROLLED
        for (int k = 0; k < 3; ++k) {
            MG_UNROLLED
            for (int c = 0; c < lanes; ++c) {
                REAL *const to = dw + (r * 3 + k) * step + c;
                *to = (REAL)((float)*to + scaled(q, s.sums[r][k][c]));
            }
        }
    }
}

MG_INLINE void weight_lanes(int32_t rows, int lanes, const mg_conv2d_params *p, const QUANT *q,
                            int32_t count, const INPUT *x, const REAL *dy, REAL *dw) {
    if (rows == 3) {
        weight_band(3, lanes, p, q, count, x, dy, dw);
    } else {
        weight_band(2, lanes, p, q, count, x, dy, dw);
    }
}

/* Adds the gradient of some channels to dw. */
MG_INLINE void slide_weight(const mg_conv2d_params *p, const QUANT *q, const INPUT *x,
                            const REAL *dy, REAL *dw, mg_part part) {
    const mg_axis down = mg_rows(p);
    const int32_t block = MEMORY_BLOCK / p->out_w + 1;
    int32_t count;
    for (int32_t row = 0; row < p->out_h; row += count) {
        const mg_span span = mg_forward_span(&down, row);
        count = mg_min(span.count, block);
        const INPUT *const from = x + span.source * p->in_w * p->in_c;
        const REAL *const by = dy + row * p->out_w * p->in_c;
        REAL *const to = dw + span.tap * 3 * p->in_c;
        int32_t c = part.first;
        for (; c + MG_LANES <= part.end; c += MG_LANES) {
            weight_lanes(span.taps, MG_LANES, p, q, count, from + c, by + c, to + c);
        }
        for (; c < part.end; ++c) {
            weight_lanes(span.taps, 1, p, q, count, from + c, by + c, to + c);
        }
    }
}
