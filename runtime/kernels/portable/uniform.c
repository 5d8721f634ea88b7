#include "draw.h"
#include "mg_kernels_f16.h"

/* 24 random bits for element i. */
static inline uint32_t bits_of(uint32_t first, int32_t i) {
    return mg_mixed(first + (uint32_t)i) >> 8;
}

static inline float between(uint32_t bits, float limit) {
    return (float)((int32_t)bits - (1 << 23)) * (limit * 0x1p-23f);
}

void mg_uniform_f32_fwd(const mg_uniform_params *p, float *y) {
    const uint32_t first = mg_first_draw(p->salt, 0);
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = between(bits_of(first, i), p->limit);
    }
}

#ifdef MG_HALF
void mg_uniform_f16_fwd(const mg_uniform_params *p, mg_f16 *y) {
    const uint32_t first = mg_first_draw(p->salt, 0);
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = (mg_f16)between(bits_of(first, i), p->limit);
    }
}
#endif

void mg_uniform_s8_fwd(const mg_uniform_params *p, int8_t *y) {
    const uint32_t first = mg_first_draw(p->salt, 0);
    const int32_t limit = (int32_t)p->limit;
    const uint32_t count = 2 * (uint32_t)limit + 1;
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = (int8_t)((int32_t)(bits_of(first, i) * count >> 24) - limit);
    }
}
