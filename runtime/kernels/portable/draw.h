/* Random numbers from a counter, the same on every device. */
#ifndef MG_DRAW_H
#define MG_DRAW_H

#include <stdint.h>

/* A 32-bit integer hash: the finaliser of MurmurHash3 (Appleby). */
static inline uint32_t mg_mixed(uint32_t x) {
    x = (x ^ (x >> 16)) * 0x85ebca6bu;
    x = (x ^ (x >> 13)) * 0xc2b2ae35u;
    return x ^ (x >> 16);
}

/* What the draws of one tensor in one update start from: element i takes mg_mixed(start + i). */
static inline uint32_t mg_first_draw(int32_t salt, int32_t updates) {
    return mg_mixed((uint32_t)salt + (uint32_t)updates * 0x9e3779b9u);
}

#endif
