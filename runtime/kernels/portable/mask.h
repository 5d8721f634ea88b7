/* One bit an element of a gradient, set where it passes. */
#ifndef MG_MASK_H
#define MG_MASK_H

#include "tile.h"

/* The bits of `count` neighbouring elements, at most eight: of one byte, or of two. */
MG_INLINE uint32_t mg_passing(const uint8_t *mask, uint32_t element, uint32_t count) {
    const uint32_t last = mask[(element + count - 1) / 8];
    return (mask[element / 8] | last << 8) >> element % 8;
}

#endif
