/* What the operations of rvv_f16.h and rvv_f32.h do, in plain C: vectors of one length, that of a
 * core whose registers have 128 bits. */
#define LANES 32

typedef struct {
    REAL lane[LANES];
} mg_vector;

typedef struct {
    float lane[LANES];
} mg_sums;

typedef struct {
    mg_vector first, second;
} mg_pair;

static inline size_t mg_lanes(int32_t n) {
    return n < LANES ? (size_t)n : LANES;
}

static inline mg_vector mg_load_apart(const REAL *from, int32_t step, size_t n) {
    mg_vector x = {{0}};
    for (size_t i = 0; i < n; ++i) {
        x.lane[i] = from[(int32_t)i * step];
    }
    return x;
}

static inline mg_vector mg_load(const REAL *from, size_t n) {
    return mg_load_apart(from, 1, n);
}

/* Vectors whose elements take turns. */
static inline mg_pair mg_load_pair_apart(const REAL *from, int32_t step, size_t n) {
    return (mg_pair){mg_load_apart(from, step, n), mg_load_apart(from + 1, step, n)};
}

static inline mg_pair mg_load_pair(const REAL *from, size_t n) {
    return mg_load_pair_apart(from, 2, n);
}

static inline mg_vector mg_first(mg_pair pair) {
    return pair.first;
}

static inline mg_vector mg_second(mg_pair pair) {
    return pair.second;
}

static inline void mg_store_apart(REAL *to, int32_t step, mg_vector x, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        to[(int32_t)i * step] = x.lane[i];
    }
}

static inline void mg_store_pair(REAL *to, mg_pair pair, size_t n) {
    mg_store_apart(to, 2, pair.first, n);
    mg_store_apart(to + 1, 2, pair.second, n);
}

static inline void mg_store(REAL *to, mg_vector x, size_t n) {
    mg_store_apart(to, 1, x, n);
}

static inline mg_sums mg_load_sums(const float *from, size_t n) {
    mg_sums sums = {{0}};
    for (size_t i = 0; i < n; ++i) {
        sums.lane[i] = from[i];
    }
    return sums;
}

static inline void mg_store_sums(float *to, mg_sums sums, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        to[i] = sums.lane[i];
    }
}

static inline mg_sums mg_all(float x, size_t n) {
    mg_sums sums = {{0}};
    for (size_t i = 0; i < n; ++i) {
        sums.lane[i] = x;
    }
    return sums;
}

static inline mg_sums mg_widened(mg_vector x, size_t n) {
    mg_sums sums = {{0}};
    for (size_t i = 0; i < n; ++i) {
        sums.lane[i] = (float)x.lane[i];
    }
    return sums;
}

static inline mg_sums mg_add_products(mg_sums sums, mg_vector a, mg_vector b, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        sums.lane[i] += (float)a.lane[i] * (float)b.lane[i];
    }
    return sums;
}

static inline mg_sums mg_add_scaled(mg_sums sums, REAL factor, mg_vector x, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        sums.lane[i] += (float)factor * (float)x.lane[i];
    }
    return sums;
}

/* The same address, which is known when the sums are. */
static inline const REAL *mg_after(mg_sums sums, const REAL *from) {
    (void)sums;
    return from;
}

static inline mg_sums mg_limited(mg_sums sums, mg_clamp_f32 range, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        sums.lane[i] = mg_limit_f32(sums.lane[i], range);
    }
    return sums;
}

/* Products and differences that are rounded one by one. */
static inline mg_sums mg_scaled(mg_sums a, float factor, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        a.lane[i] *= factor;
    }
    return a;
}

static inline mg_sums mg_sum(mg_sums a, mg_sums b, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        a.lane[i] += b.lane[i];
    }
    return a;
}

static inline mg_sums mg_difference(mg_sums a, mg_sums b, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        a.lane[i] -= b.lane[i];
    }
    return a;
}

/* Lanes of x where y lies inside the range, else 0. */
static inline mg_vector mg_where_inside(mg_clamp_f32 range, mg_vector y, mg_vector x, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        const float at = (float)y.lane[i];
        x.lane[i] = at > range.low && at < range.high ? x.lane[i] : (REAL)0.0f;
    }
    return x;
}

static inline mg_vector mg_rounded(mg_sums sums, size_t n) {
    mg_vector x = {{0}};
    for (size_t i = 0; i < n; ++i) {
        x.lane[i] = (REAL)sums.lane[i];
    }
    return x;
}

static inline float mg_total(mg_sums sums, size_t n) {
    float total = 0.0f;
    for (size_t i = 0; i < n; ++i) {
        total += sums.lane[i];
    }
    return total;
}

#undef LANES
