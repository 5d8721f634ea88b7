/* Where the sums of several pixels take what comes next. */
MG_INLINE void move_on(int pixels, const REAL **a, int32_t step) {
    MG_UNROLLED
    for (int i = 0; i < pixels; ++i) {
        a[i] += step;
    }
}
