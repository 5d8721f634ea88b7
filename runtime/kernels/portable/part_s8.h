/* int8 weights of a convolution made real, of a few input channels at a time. */
#ifndef MG_PART_S8_H
#define MG_PART_S8_H

#include "scales.h"
#include "tile.h"

#define PART 8 /* input channels at a time */

/* `width` input channels of w. */
MG_INLINE void dequantize(int32_t width, int32_t taps, int32_t depth, int32_t count,
                          const float *scales, const int8_t *w, float *to) {
    for (int32_t oc = 0; oc < count; ++oc) {
        const float scale = scales[oc];
        int32_t left = taps;
        MG_ROLLED
        do {
            MG_UNROLLED
            for (int32_t i = 0; i < width; ++i) {
                to[i] = scale * (float)w[i];
            }
            to += width;
            w += depth;
        } while (--left > 0);
    }
}

#endif
