/* Sum over positions of each channel, float. */
#include "arithmetic.h"
#include "tile.h"

#define TILE 8

MG_INLINE void tile(int width, const mg_channel_sum_params *p, const float *dy,
                    const float *gathered, float *sum) {
    float total[TILE];
    MG_UNROLLED
    for (int j = 0; j < width; ++j) {
        total[j] = gathered != NULL ? gathered[j] : 0.0f;
    }
    for (int32_t left = p->positions; left > 0; left -= MG_BLOCK) {
        float part[TILE] = {0.0f};
        for (int32_t n = mg_min(left, MG_BLOCK); n > 0; --n) {
            MG_UNROLLED
            for (int j = 0; j < width; ++j) {
                part[j] += dy[j];
            }
            dy += p->channels;
        }
        MG_UNROLLED
        for (int j = 0; j < width; ++j) {
            total[j] += part[j];
        }
    }
    MG_UNROLLED
    for (int j = 0; j < width; ++j) {
        sum[j] = total[j];
    }
}

void mg_channel_sum_f32_fwd(const mg_channel_sum_params *p, const float *dy, const float *gathered,
                            float *sum) {
    for (int32_t c = 0; c < p->channels;) {
        const float *const base = gathered != NULL ? gathered + c : NULL;
        if (p->channels - c >= TILE) {
            tile(TILE, p, dy + c, base, sum + c);
            c += TILE;
        } else {
            tile(1, p, dy + c, base, sum + c);
            c++;
        }
    }
}
