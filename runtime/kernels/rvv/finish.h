/* The results of sums.
 *
 * Before it is included, REAL and its vectors are there, as by rvv_f16.h. */

/* b NULL: zeros */
static inline mg_sums start(const REAL *b, int32_t channel, size_t n) {
    return b != NULL ? mg_widened(mg_load(b + channel, n), n) : mg_all(0.0f, n);
}

/* q NULL: no activation */
static inline void finish(mg_sums sums, const mg_clamp_f32 *q, REAL *y, size_t n) {
    if (q != NULL && mg_limits_f32(*q)) {
        sums = mg_limited(sums, *q, n);
    }
    mg_store(y, mg_rounded(sums, n), n);
}

MG_INLINE void move_on(int pixels, const REAL **a, int32_t step) {
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        a[i] += step;
    }
}
