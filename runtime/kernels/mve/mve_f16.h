/* Instructions of Helium on eight halves, and what they are in C elsewhere.
 *
 * No instruction multiplies halves and adds to single, so that at most MG_IN_HALF products are
 * summed in half before they are added to sums in single. */
#ifndef MG_MVE_F16_H
#define MG_MVE_F16_H

#include "arithmetic.h"
#include "tile.h"

#include "real_f16.h"

#define MG_HALVES  8
#define MG_IN_HALF 32

/* Every step-th of neighbours, the first `count` of eight; the others may be anything. Seven steps
 * are less than 65536. */
typedef struct {
    int32_t step, count;
} mg_places;

/* Limits of results, which rounding keeps in order: those of rounded sums are rounded themselves.
 */
typedef struct {
    mg_f16 low, high;
} mg_range_f16;

static inline mg_range_f16 mg_range_of(mg_clamp_f32 range) {
    return (mg_range_f16){(mg_f16)range.low, (mg_f16)range.high};
}

#ifdef __ARM_FEATURE_MVE

#include <arm_mve.h>

typedef float16x8_t mg_halves;

/* Those of the even lanes and those of the odd ones. */
typedef struct {
    float32x4_t even, odd;
} mg_singles;

static inline mg_halves mg_no_halves(void) {
    return vdupq_n_f16(0);
}

static inline mg_halves mg_load(const mg_f16 *from) {
    return vld1q_f16((const float16_t *)from);
}

/* The rest are zeros. */
static inline mg_halves mg_load_first(const mg_f16 *from, int32_t count) {
    return vld1q_z_f16((const float16_t *)from, vctp16q((uint32_t)count));
}

static inline void mg_store(mg_f16 *to, mg_halves x) {
    vst1q_f16((float16_t *)to, x);
}

static inline void mg_store_first(mg_f16 *to, mg_halves x, int32_t count) {
    vst1q_p_f16((float16_t *)to, x, vctp16q((uint32_t)count));
}

/* Lanes that nobody wants repeat the last one. */
static inline uint16x8_t mg_offsets(mg_places at) {
    const uint16x8_t last = vdupq_n_u16((uint16_t)(at.count - 1));
    return vmulq_n_u16(vminq_u16(vidupq_n_u16(0, 1), last), (uint16_t)at.step);
}

static inline mg_halves mg_load_apart(const mg_f16 *from, mg_places at) {
    return vldrhq_gather_shifted_offset_f16((const float16_t *)from, mg_offsets(at));
}

static inline void mg_store_apart(mg_f16 *to, mg_places at, mg_halves x) {
    vstrhq_scatter_shifted_offset_p_f16((float16_t *)to, mg_offsets(at), x,
                                        vctp16q((uint32_t)at.count));
}

/* *factor * x */
static inline mg_halves mg_scaled(const mg_f16 *factor, mg_halves x) {
    return vmulq_n_f16(x, *(const float16_t *)factor);
}

/* sums + *factor * x */
static inline mg_halves mg_add_scaled(mg_halves sums, const mg_f16 *factor, mg_halves x) {
    return vfmaq_n_f16(sums, x, *(const float16_t *)factor);
}

static inline mg_halves mg_add_products(mg_halves sums, mg_halves a, mg_halves b) {
    return vfmaq_f16(sums, a, b);
}

/* From where mg_store_singles() has put them. */
static inline mg_singles mg_load_singles(const float *from) {
    return (mg_singles){vld1q_f32(from), vld1q_f32(from + 4)};
}

static inline void mg_store_singles(float *to, mg_singles x) {
    vst1q_f32(to, x.even);
    vst1q_f32(to + 4, x.odd);
}

static inline mg_singles mg_widened(mg_halves x) {
    return (mg_singles){vcvtbq_f32_f16(x), vcvttq_f32_f16(x)};
}

static inline mg_singles mg_add_halves(mg_singles sums, mg_halves x) {
    return (mg_singles){vaddq_f32(sums.even, vcvtbq_f32_f16(x)),
                        vaddq_f32(sums.odd, vcvttq_f32_f16(x))};
}

/* Of all lanes, in single. */
static inline float mg_sum(mg_halves x) {
    const float32x4_t pairs = vaddq_f32(vcvtbq_f32_f16(x), vcvttq_f32_f16(x));
    return (pairs[0] + pairs[1]) + (pairs[2] + pairs[3]);
}

/* Minimum and maximum would drop a NaN. */
static inline mg_halves mg_limited(mg_halves x, mg_range_f16 range) {
    const float16_t low = range.low, high = range.high;
    x = vdupq_m_n_f16(x, low, vcmpltq_n_f16(x, low));
    return vdupq_m_n_f16(x, high, vcmpgtq_n_f16(x, high));
}

static inline mg_halves mg_rounded(mg_singles x) {
    return vcvttq_f16_f32(vcvtbq_f16_f32(vdupq_n_f16(0), x.even), x.odd);
}

#else

typedef struct {
    mg_f16 lane[MG_HALVES];
} mg_halves;

typedef struct {
    float lane[MG_HALVES];
} mg_singles;

static inline mg_halves mg_no_halves(void) {
    return (mg_halves){{0}};
}

static inline mg_halves mg_load_apart(const mg_f16 *from, mg_places at) {
    mg_halves x = {{0}};
    for (int32_t i = 0; i < mg_min(at.count, MG_HALVES); ++i) {
        x.lane[i] = from[i * at.step];
    }
    return x;
}

static inline mg_halves mg_load_first(const mg_f16 *from, int32_t count) {
    return mg_load_apart(from, (mg_places){1, count});
}

static inline mg_halves mg_load(const mg_f16 *from) {
    return mg_load_first(from, MG_HALVES);
}

static inline void mg_store_apart(mg_f16 *to, mg_places at, mg_halves x) {
    for (int32_t i = 0; i < mg_min(at.count, MG_HALVES); ++i) {
        to[i * at.step] = x.lane[i];
    }
}

static inline void mg_store_first(mg_f16 *to, mg_halves x, int32_t count) {
    mg_store_apart(to, (mg_places){1, count}, x);
}

static inline void mg_store(mg_f16 *to, mg_halves x) {
    mg_store_first(to, x, MG_HALVES);
}

/* Exact in double but for two roundings that differ from one in rare last bits. */
static inline mg_halves mg_add_products(mg_halves sums, mg_halves a, mg_halves b) {
    for (int i = 0; i < MG_HALVES; ++i) {
        sums.lane[i] = (mg_f16)((double)a.lane[i] * (double)b.lane[i] + (double)sums.lane[i]);
    }
    return sums;
}

static inline mg_halves mg_add_scaled(mg_halves sums, const mg_f16 *factor, mg_halves x) {
    mg_halves all;
    for (int i = 0; i < MG_HALVES; ++i) {
        all.lane[i] = *factor;
    }
    return mg_add_products(sums, x, all);
}

static inline mg_halves mg_scaled(const mg_f16 *factor, mg_halves x) {
    return mg_add_scaled(mg_no_halves(), factor, x);
}

static inline mg_singles mg_load_singles(const float *from) {
    mg_singles x;
    __builtin_memcpy(&x, from, sizeof x);
    return x;
}

static inline void mg_store_singles(float *to, mg_singles x) {
    __builtin_memcpy(to, &x, sizeof x);
}

static inline mg_singles mg_widened(mg_halves x) {
    mg_singles y;
    for (int i = 0; i < MG_HALVES; ++i) {
        y.lane[i] = (float)x.lane[i];
    }
    return y;
}

static inline mg_singles mg_add_halves(mg_singles sums, mg_halves x) {
    for (int i = 0; i < MG_HALVES; ++i) {
        sums.lane[i] += (float)x.lane[i];
    }
    return sums;
}

static inline float mg_sum(mg_halves x) {
    float sum = 0;
    for (int i = 0; i < MG_HALVES; ++i) {
        sum += (float)x.lane[i];
    }
    return sum;
}

static inline mg_halves mg_limited(mg_halves x, mg_range_f16 range) {
    for (int i = 0; i < MG_HALVES; ++i) {
        const mg_f16 at = x.lane[i];
        x.lane[i] = at < range.low ? range.low : at > range.high ? range.high : at;
    }
    return x;
}

static inline mg_halves mg_rounded(mg_singles x) {
    mg_halves y;
    for (int i = 0; i < MG_HALVES; ++i) {
        y.lane[i] = (mg_f16)x.lane[i];
    }
    return y;
}

#endif
#endif
