/* What the operations of rvv_s8.h do, in plain C: vectors of one length, that of a core whose
 * registers have 128 bits. */
#define LANES 32

typedef struct {
    int16_t lane[LANES];
} mg_vector;

typedef struct {
    int32_t lane[LANES];
} mg_sums;

static inline size_t mg_lanes(int32_t n) {
    return n < LANES ? (size_t)n : LANES;
}

static inline mg_vector mg_load_apart(const int8_t *from, int32_t step, size_t n) {
    mg_vector x = {{0}};
    for (size_t i = 0; i < n; ++i) {
        x.lane[i] = from[(int32_t)i * step];
    }
    return x;
}

static inline mg_vector mg_load(const int8_t *from, size_t n) {
    return mg_load_apart(from, 1, n);
}

static inline mg_vector mg_load_less(const int8_t *from, int8_t less, size_t n) {
    mg_vector x = mg_load(from, n);
    for (size_t i = 0; i < n; ++i) {
        x.lane[i] = (int16_t)(x.lane[i] - less);
    }
    return x;
}

static inline void mg_store(int8_t *to, mg_vector x, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        to[i] = (int8_t)x.lane[i];
    }
}

static inline mg_sums mg_load_sums(const int32_t *from, size_t n) {
    mg_sums sums = {{0}};
    for (size_t i = 0; i < n; ++i) {
        sums.lane[i] = from[i];
    }
    return sums;
}

static inline mg_sums mg_all(int32_t x, size_t n) {
    mg_sums sums = {{0}};
    for (size_t i = 0; i < n; ++i) {
        sums.lane[i] = x;
    }
    return sums;
}

static inline mg_sums mg_add_products(mg_sums sums, mg_vector a, mg_vector b, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        sums.lane[i] = (int32_t)((uint32_t)sums.lane[i] + (uint32_t)(a.lane[i] * b.lane[i]));
    }
    return sums;
}

static inline mg_sums mg_add_scaled(mg_sums sums, int16_t factor, mg_vector x, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        sums.lane[i] = (int32_t)((uint32_t)sums.lane[i] + (uint32_t)(factor * x.lane[i]));
    }
    return sums;
}

static inline mg_sums mg_multiplied(mg_sums sums, const int32_t *multiplier, const int8_t *shift,
                                    size_t n) {
    for (size_t i = 0; i < n; ++i) {
        sums.lane[i] = mg_multiply_quantized(sums.lane[i], multiplier[i], shift[i]);
    }
    return sums;
}

static inline mg_vector mg_narrowed(mg_sums sums, int32_t zero_point, int32_t low, int32_t high,
                                    size_t n) {
    mg_vector x = {{0}};
    for (size_t i = 0; i < n; ++i) {
        x.lane[i] = mg_limit_s8(sums.lane[i] + zero_point, low, high);
    }
    return x;
}

#undef LANES
