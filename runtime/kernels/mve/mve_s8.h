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

/* How the sums of four neighbouring channels become int8; left and right: shifts, the latter
 * negative. */
typedef struct {
    int32_t multiplier[MG_WORDS], left[MG_WORDS], right[MG_WORDS];
} mg_rescaling;

/* What results are moved and limited by. */
typedef struct {
    int32_t zero_point, low, high;
} mg_ends_s8;

/* How the sums of a channel become int8, where no shift is to the left; right: the shift, negative;
 * halves: 1 where it is not 0, and negative halves round downwards. */
typedef struct {
    int32_t start, multiplier, right, halves;
} mg_rounding_s8;

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
    return vrshlq_n_s32(vqrdmlahq_n_s32(down, x, c->multiplier), c->right);
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

static inline mg_words mg_add_words(mg_words a, mg_words b) {
    return vaddq_s32(a, b);
}

/* mg_multiply_quantized() of each, where every shift is to the right, by one bit at least: then
 * only negative halves round otherwise than upwards, and they have the sign of x. */
MG_INLINE void mg_shift_right(int count, const mg_rescaling *c, mg_words *x) {
    const mg_words multiplier = vld1q_s32(c->multiplier), right = vld1q_s32(c->right);
    MG_UNROLLED
    for (int i = 0; i < count; ++i) {
        const mg_words product = vqrdmulhq_s32(x[i], multiplier);
        x[i] = vrshlq_s32(vaddq_s32(product, vshrq_n_s32(x[i], 31)), right);
    }
}

/* The same with any shifts. */
MG_INLINE void mg_rescale(int count, const mg_rescaling *c, mg_words *x) {
    const mg_words multiplier = vld1q_s32(c->multiplier), right = vld1q_s32(c->right);
    MG_UNROLLED
    for (int i = 0; i < count; ++i) {
        const mg_words product = vqrdmulhq_s32(vshlq_s32(x[i], vld1q_s32(c->left)), multiplier);
        const mg_words down = vshrq_n_s32(vandq_s32(product, right), 31);
        x[i] = vrshlq_s32(vaddq_s32(product, down), right);
    }
}

static inline void mg_store_words(int8_t *to, mg_words x, mg_ends_s8 ends, int32_t count) {
    x = vmaxq_s32(vaddq_n_s32(x, ends.zero_point), vdupq_n_s32(ends.low));
    vstrbq_p_s32(to, vminq_s32(x, vdupq_n_s32(ends.high)), vctp32q((uint32_t)count));
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

static inline mg_words mg_add_words(mg_words a, mg_words b) {
    for (int i = 0; i < MG_WORDS; ++i) {
        a.lane[i] = (int32_t)((uint32_t)a.lane[i] + (uint32_t)b.lane[i]);
    }
    return a;
}

static inline mg_words mg_words_of(const int32_t *x) {
    return mg_load_words(x);
}

static inline mg_words mg_rounded_words(mg_words x, const mg_rounding_s8 *c) {
    for (int i = 0; i < MG_WORDS; ++i) {
        const int32_t sum = (int32_t)((uint32_t)x.lane[i] + (uint32_t)c->start);
        x.lane[i] = mg_multiply_quantized(sum, c->multiplier, c->right);
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

MG_INLINE void mg_rescale(int count, const mg_rescaling *c, mg_words *x) {
    for (int i = 0; i < count * MG_WORDS; ++i) {
        const int lane = i % MG_WORDS;
        int32_t *const at = &x[i / MG_WORDS].lane[lane];
        *at = mg_multiply_quantized(*at, c->multiplier[lane], c->left[lane] + c->right[lane]);
    }
}

MG_INLINE void mg_shift_right(int count, const mg_rescaling *c, mg_words *x) {
    mg_rescale(count, c, x);
}

static inline void mg_store_words(int8_t *to, mg_words x, mg_ends_s8 ends, int32_t count) {
    for (int i = 0; i < mg_min(count, MG_WORDS); ++i) {
        to[i] = mg_limit_s8(x.lane[i] + ends.zero_point, ends.low, ends.high);
    }
}

#endif
#endif
