/* Instructions of Helium on sixteen bytes and four words, and what they are in C elsewhere. */
#ifndef MG_MVE_S8_H
#define MG_MVE_S8_H

#include "arithmetic.h"
#include "tile.h"

#define MG_BYTES 16
#define MG_PAIRS 8
#define MG_WORDS 4

/* Of four lanes, four bits each. */
#define MG_ALL_LANES 0xFFFF

/* How the sums of a channel become int8, where no shift is to the left: what is added to them, 1
 * where the shift is not 0, so that negative halves round downwards, the multiplier and the shift.
 */
typedef struct {
    int32_t start, halves, multiplier, shift;
} mg_rounding_s8;

/* The same of four neighbouring channels. */
typedef struct {
    int32_t start[MG_WORDS], halves[MG_WORDS], multiplier[MG_WORDS], shift[MG_WORDS];
} mg_rescaling_s8;

#ifdef __ARM_FEATURE_MVE

#include <arm_mve.h>

typedef int8x16_t mg_bytes;
typedef int32x4_t mg_words;
typedef uint16x8_t mg_steps; /* bytes from a pointer to each of eight */
typedef mve_pred16_t mg_lanes;

static inline mg_bytes mg_load_bytes(const int8_t *from) {
    return vld1q_s8(from);
}

/* The rest are zeros. */
static inline mg_bytes mg_load_first_bytes(const int8_t *from, int32_t count) {
    return vld1q_z_s8(from, vctp8q((uint32_t)count));
}

static inline void mg_store_first_bytes(int8_t *to, mg_bytes x, int32_t count) {
    vst1q_p_s8(to, x, vctp8q((uint32_t)count));
}

static inline mg_bytes mg_all_bytes(int32_t x) {
    return vdupq_n_s8((int8_t)x);
}

static inline void mg_store_bytes(int8_t *to, mg_bytes x) {
    vst1q_s8(to, x);
}

static inline mg_bytes mg_limited_bytes(mg_bytes x, mg_bytes low, mg_bytes high) {
    return vminq_s8(vmaxq_s8(x, low), high);
}

/* The first of each, the second of each, ... */
static inline void mg_store_pairs(int8_t *to, mg_bytes a, mg_bytes b) {
    const int8x16x2_t both = {{a, b}};
    vst2q_s8(to, both);
}

static inline mg_steps mg_load_steps(const uint16_t *from) {
    return vld1q_u16(from);
}

static inline mg_steps mg_add_to_steps(mg_steps at, int32_t more) {
    return vaddq_n_u16(at, (uint16_t)more);
}

/* Two bytes from each place, which is even. */
static inline mg_bytes mg_load_pairs(const int8_t *from, mg_steps at) {
    return vreinterpretq_s8_u16(vldrhq_gather_offset_u16((const uint16_t *)(const void *)from, at));
}

/* sum and the products of all bytes */
static inline int32_t mg_add_dot(int32_t sum, mg_bytes a, mg_bytes b) {
    return vmladavaq_s8(sum, a, b);
}

static inline mg_words mg_words_of(const int32_t *x) {
    return (mg_words){x[0], x[1], x[2], x[3]};
}

/* mg_multiply_quantized() of each and the start. */
static inline mg_words mg_rounded_words(mg_words x, const mg_rounding_s8 *c) {
    x = vaddq_n_s32(x, c->start);
    const mg_words down = vqdmulhq_n_s32(x, c->halves); /* -1 where x is negative */
    return vrshlq_n_s32(vqrdmlahq_n_s32(down, x, c->multiplier), c->shift);
}

/* As int8, in those lanes, at so many bytes from a pointer. */
static inline void mg_scatter_words(int8_t *to, mg_words at, mg_lanes lanes, mg_words x,
                                    int32_t zero_point) {
    x = vaddq_n_s32(x, zero_point);
    const int16x8_t halves = vqmovnbq_s32(vreinterpretq_s16_s32(x), x);
    const int8x16_t bytes = vqmovnbq_s16(vreinterpretq_s8_s16(halves), halves);
    const int32x4_t low = vreinterpretq_s32_s8(bytes);
    if (__builtin_constant_p(lanes) && lanes == MG_ALL_LANES) {
        vstrbq_scatter_offset_s32(to, vreinterpretq_u32_s32(at), low);
    } else {
        vstrbq_scatter_offset_p_s32(to, vreinterpretq_u32_s32(at), low, lanes);
    }
}

static inline mg_words mg_load_words(const int32_t *from) {
    return vld1q_s32(from);
}

/* Four pairs, the firsts and the seconds. */
static inline void mg_load_pairs_of_words(const int32_t *from, mg_words *x) {
    const int32x4x2_t both = vld2q_s32(from);
    x[0] = both.val[0];
    x[1] = both.val[1];
}

static inline mg_words mg_add_to_words(mg_words x, int32_t more) {
    return vaddq_n_s32(x, more);
}

/* mg_multiply_quantized() of the sums of two pixels and their starts. */
MG_INLINE void mg_rescale(const mg_rescaling_s8 *c, mg_words *x) {
    const mg_words start = vld1q_s32(c->start), multiplier = vld1q_s32(c->multiplier);
    const mg_words halves = vld1q_s32(c->halves), shift = vld1q_s32(c->shift);
    MG_UNROLLED
    for (int i = 0; i < 2; ++i) {
        const mg_words sum = vaddq_s32(x[i], start);
        const mg_words down = vqdmulhq_s32(sum, halves); /* -1 where it is negative */
        x[i] = vrshlq_s32(vaddq_s32(vqrdmulhq_s32(sum, multiplier), down), shift);
    }
}

/* Both as int8; whole: all four. `next` may be y, which is stored last. */
MG_INLINE void mg_store_two(int whole, int32_t count, const mg_words *x, int32_t zero_point,
                            int8_t *y, int8_t *next) {
    const int16x8_t first = vqmovnbq_s32(vreinterpretq_s16_s32(x[0]), x[0]);
    const int16x8_t both = vqaddq_n_s16(vqmovntq_s32(first, x[1]), (int16_t)zero_point);
    const mg_words low = vreinterpretq_s32_s8(vqmovnbq_s16(vreinterpretq_s8_s16(both), both));
    const mg_words high = vshrq_n_s32(low, 16);
    if (whole) {
        vstrbq_s32(next, high);
        vstrbq_s32(y, low);
    } else {
        vstrbq_p_s32(next, high, vctp32q((uint32_t)count));
        vstrbq_p_s32(y, low, vctp32q((uint32_t)count));
    }
}

#else

typedef struct {
    int8_t lane[MG_BYTES];
} mg_bytes;

typedef struct {
    int32_t lane[MG_WORDS];
} mg_words;

typedef struct {
    uint16_t lane[MG_PAIRS];
} mg_steps;

typedef uint16_t mg_lanes;

static inline mg_bytes mg_load_first_bytes(const int8_t *from, int32_t count) {
    mg_bytes x = {{0}};
    __builtin_memcpy(&x, from, (size_t)mg_min(count, MG_BYTES));
    return x;
}

static inline mg_bytes mg_load_bytes(const int8_t *from) {
    return mg_load_first_bytes(from, MG_BYTES);
}

static inline void mg_store_first_bytes(int8_t *to, mg_bytes x, int32_t count) {
    __builtin_memcpy(to, &x, (size_t)mg_min(count, MG_BYTES));
}

static inline mg_bytes mg_all_bytes(int32_t x) {
    mg_bytes all;
    __builtin_memset(&all, x, sizeof all);
    return all;
}

static inline void mg_store_bytes(int8_t *to, mg_bytes x) {
    mg_store_first_bytes(to, x, MG_BYTES);
}

static inline mg_bytes mg_limited_bytes(mg_bytes x, mg_bytes low, mg_bytes high) {
    for (int i = 0; i < MG_BYTES; ++i) {
        x.lane[i] = mg_limit_s8(x.lane[i], low.lane[i], high.lane[i]);
    }
    return x;
}

static inline void mg_store_pairs(int8_t *to, mg_bytes a, mg_bytes b) {
    for (int i = 0; i < MG_BYTES; ++i) {
        to[2 * i] = a.lane[i];
        to[2 * i + 1] = b.lane[i];
    }
}

static inline mg_steps mg_load_steps(const uint16_t *from) {
    mg_steps at;
    __builtin_memcpy(&at, from, sizeof at);
    return at;
}

static inline mg_steps mg_add_to_steps(mg_steps at, int32_t more) {
    for (int i = 0; i < MG_PAIRS; ++i) {
        at.lane[i] = (uint16_t)(at.lane[i] + more);
    }
    return at;
}

static inline mg_bytes mg_load_pairs(const int8_t *from, mg_steps at) {
    mg_bytes x;
    for (int i = 0; i < MG_BYTES; ++i) {
        x.lane[i] = from[at.lane[i / 2] + i % 2];
    }
    return x;
}

static inline int32_t mg_add_dot(int32_t sum, mg_bytes a, mg_bytes b) {
    for (int i = 0; i < MG_BYTES; ++i) {
        sum = (int32_t)((uint32_t)sum + (uint32_t)(a.lane[i] * b.lane[i]));
    }
    return sum;
}

static inline mg_words mg_load_words(const int32_t *from) {
    mg_words x;
    __builtin_memcpy(&x, from, sizeof x);
    return x;
}

static inline void mg_load_pairs_of_words(const int32_t *from, mg_words *x) {
    for (int i = 0; i < 2 * MG_WORDS; ++i) {
        x[i % 2].lane[i / 2] = from[i];
    }
}

static inline mg_words mg_add_to_words(mg_words x, int32_t more) {
    for (int i = 0; i < MG_WORDS; ++i) {
        x.lane[i] = (int32_t)((uint32_t)x.lane[i] + (uint32_t)more);
    }
    return x;
}

static inline mg_words mg_words_of(const int32_t *x) {
    return mg_load_words(x);
}

static inline mg_words mg_rounded_words(mg_words x, const mg_rounding_s8 *c) {
    for (int i = 0; i < MG_WORDS; ++i) {
        const int32_t sum = (int32_t)((uint32_t)x.lane[i] + (uint32_t)c->start);
        x.lane[i] = mg_multiply_quantized(sum, c->multiplier, c->shift);
    }
    return x;
}

static inline void mg_scatter_words(int8_t *to, mg_words at, mg_lanes lanes, mg_words x,
                                    int32_t zero_point) {
    for (int i = 0; i < MG_WORDS; ++i) {
        if (lanes >> MG_WORDS * i & 1) {
            to[at.lane[i]] = mg_limit_s8(x.lane[i] + zero_point, INT8_MIN, INT8_MAX);
        }
    }
}

MG_INLINE void mg_rescale(const mg_rescaling_s8 *c, mg_words *x) {
    for (int k = 0; k < 2 * MG_WORDS; ++k) {
        const int lane = k % MG_WORDS;
        int32_t *const at = &x[k / MG_WORDS].lane[lane];
        const int32_t sum = (int32_t)((uint32_t)*at + (uint32_t)c->start[lane]);
        *at = mg_multiply_quantized(sum, c->multiplier[lane], c->shift[lane]);
    }
}

MG_INLINE void mg_store_two(int whole, int32_t count, const mg_words *x, int32_t zero_point,
                            int8_t *y, int8_t *next) {
    for (int i = 0; i < (whole ? MG_WORDS : count); ++i) {
        next[i] = mg_limit_s8(x[1].lane[i] + zero_point, INT8_MIN, INT8_MAX);
        y[i] = mg_limit_s8(x[0].lane[i] + zero_point, INT8_MIN, INT8_MAX);
    }
}

#endif

/* Two numbers, loaded as one: as two they would have a pointer between them. */
static inline void mg_load_two(const int32_t *from, int32_t *x) {
    uint64_t both;
    __builtin_memcpy(&both, from, sizeof both);
    x[0] = (int32_t)both;
    x[1] = (int32_t)(both >> 32);
}

static inline void mg_fill(int32_t n, mg_bytes x, int8_t *to) {
    for (int32_t k = 0; k < n; k += MG_BYTES) {
        mg_store_first_bytes(to + k, x, n - k);
    }
}

/* Limits all results of a layer whose activation has a narrower range than int8. */
static inline void mg_limit_results(const mg_requant_s8 *q, int32_t size, int8_t *y) {
    if (q->low > INT8_MIN || q->high < INT8_MAX) {
        const mg_bytes low = mg_all_bytes(q->low), high = mg_all_bytes(q->high);
        MG_ROLLED
        for (; size > 0; size -= MG_BYTES, y += MG_BYTES) {
            mg_store_first_bytes(y, mg_limited_bytes(mg_load_first_bytes(y, size), low, high),
                                 size);
        }
    }
}

#endif
