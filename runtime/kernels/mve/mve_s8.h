/* Instructions of Helium on sixteen bytes and four words, and what they are in C elsewhere. */
#ifndef MG_MVE_S8_H
#define MG_MVE_S8_H

#include "arithmetic.h"
#include "tile.h"

#define MG_BYTES 16
#define MG_WORDS 4

/* How the sums of four neighbouring channels become int8; left and right: shifts, the latter
 * negative. */
typedef struct {
    int32_t multiplier[MG_WORDS], left[MG_WORDS], right[MG_WORDS];
} mg_rescaling;

/* What results are moved and limited by. */
typedef struct {
    int32_t zero_point, low, high;
} mg_ends_s8;

#ifdef __ARM_FEATURE_MVE

#include <arm_mve.h>

typedef int8x16_t mg_bytes;
typedef int32x4_t mg_words;

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

/* sum and the products of all bytes */
static inline int32_t mg_add_dot(int32_t sum, mg_bytes a, mg_bytes b) {
    return vmladavaq_s8(sum, a, b);
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

static inline mg_words mg_add_words(mg_words a, mg_words b) {
    for (int i = 0; i < MG_WORDS; ++i) {
        a.lane[i] = (int32_t)((uint32_t)a.lane[i] + (uint32_t)b.lane[i]);
    }
    return a;
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
