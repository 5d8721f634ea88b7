/* The scale at one index; the same as stored_scales() of the compiler, bit for bit. */
#ifndef MG_SCALES_H
#define MG_SCALES_H

#include "mg_kernels.h"

static inline float mg_scale_at(const mg_scales *q, int32_t i) {
    const uint32_t bits = (uint32_t)(q->shift[i] + 96) << 23; /* 2^(shift - 31) */
    float power;
    __builtin_memcpy(&power, &bits, sizeof power);
    return q->unit * ((float)q->multiplier[i] * power);
}

#endif
