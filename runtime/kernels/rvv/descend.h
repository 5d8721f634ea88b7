/* A step of gradient descent.
 *
 * Before it is included, REAL and its vectors are there, as by rvv_f16.h. */

/* w - rate * (gradient + decay * w) */
static inline mg_sums descended(mg_sums w, mg_sums gradient, float rate, float decay, size_t n) {
    const mg_sums direction = mg_sum(gradient, mg_scaled(w, decay, n), n);
    return mg_difference(w, mg_scaled(direction, rate, n), n);
}
