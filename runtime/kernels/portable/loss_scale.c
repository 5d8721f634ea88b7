/* The scale of the loss: whether gradients overflow under it, and what becomes of it. */
#include "mg_kernels_f16.h"

#ifdef MG_HALF
void mg_all_finite_f16_fwd(const mg_size_params *p, const mg_f16 *x, const int32_t *before,
                           int32_t *finite) {
    int32_t all = before == NULL || *before != 0;
    for (int32_t i = 0; i < p->size; ++i) {
        uint16_t bits;
        __builtin_memcpy(&bits, x + i, sizeof bits);
        all &= (bits & 0x7c00u) != 0x7c00u;
    }
    *finite = all;
}
#endif

void mg_loss_scale_f32_step(const mg_loss_scale *q, const float *scale, const int32_t *steps,
                            const int32_t *finite, float *scale_next, int32_t *steps_next) {
    const int32_t good = *finite ? steps[0] + 1 : 0;
    const int grows = good >= q->interval && *scale < q->largest;
    const int shrinks = !*finite && *scale > 1.0f;
    steps_next[1] = steps[1] + (*finite ? 0 : 1);
    steps_next[0] = good >= q->interval ? 0 : good;
    *scale_next = *scale * (grows ? 2.0f : shrinks ? 0.5f : 1.0f);
}
