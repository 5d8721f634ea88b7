/* What float layers make of their operands.
 *
 * Before it is included, REAL and its vectors are there, as by rvv_f16.h. */
#define BIAS  REAL
#define QUANT mg_clamp_f32

/* b NULL: zeros */
static inline mg_sums start(const REAL *b, int32_t channel, size_t n) {
    return b != NULL ? mg_widened(mg_load(b + channel, n), n) : mg_all(0.0f, n);
}

static inline REAL factor(const mg_clamp_f32 *q, REAL x) {
    (void)q;
    return x;
}

static inline mg_vector inputs(const mg_clamp_f32 *q, const REAL *x, size_t n) {
    (void)q;
    return mg_load(x, n);
}

/* q NULL: no activation */
static inline void finish(mg_sums sums, const mg_clamp_f32 *q, int32_t channel, REAL *y, size_t n) {
    if (q != NULL && mg_limits_f32(*q)) {
        sums = mg_limited(sums, *q, n);
    }
    mg_store(y + channel, mg_rounded(sums, n), n);
}
