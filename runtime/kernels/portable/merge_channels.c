#include "mg_kernels_f16.h"
#include "tile.h"

#define MG_MERGE(symbol, type)                                                                     \
    void symbol(const mg_runs_params *p, const type *whole, const type *part, type *y) {           \
        __builtin_memcpy(y, whole, (size_t)(p->outer * p->stride) * sizeof(type));                 \
        for (int32_t i = 0; i < p->outer; ++i) {                                                   \
            for (int32_t k = 0; k < p->count; ++k) {                                               \
                type *to = y + p->start[k];                                                        \
                MG_ROLLED                                                                          \
                for (int32_t left = p->length[k]; left > 0; --left) {                              \
                    *to++ = *part++;                                                               \
                }                                                                                  \
            }                                                                                      \
            y += p->stride;                                                                        \
        }                                                                                          \
    }

MG_MERGE(mg_merge_channels_s8_fwd, int8_t)
MG_MERGE(mg_merge_channels_f32_fwd, float)
#ifdef MG_HALF
MG_MERGE(mg_merge_channels_f16_fwd, mg_f16)
#endif
