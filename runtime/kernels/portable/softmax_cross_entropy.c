#include "mg_kernels.h"
#include "tile.h"

/* log(1 + u) for u >= 0, exact for small u (Kahan): the rounding of 1 + u cancels. */
static inline float log1p_f32(float u) {
    const float w = 1.0f + u;
    return w == 1.0f ? u : __builtin_logf(w) * (u / (w - 1.0f));
}

void mg_softmax_cross_entropy_f32_fwd(const mg_loss_params *p, const float *logits,
                                      const int32_t *target, float *loss, float *dlogits) {
    const int32_t wanted = *target;
    int32_t best = 0;
    MG_ROLLED
    for (int32_t i = 1; i < p->size; ++i) {
        best = logits[i] > logits[best] ? i : best;
    }
    const float greatest = logits[best];
    *loss = greatest - logits[wanted];
    /* Sums without one term keep a confident sample's small loss and gradient exact. */
    float beside_best = 0.0f, beside_wanted = 0.0f;
    for (int32_t i = 0; i < p->size; ++i) {
        const float e = __builtin_expf(logits[i] - greatest);
        beside_best += i == best ? 0.0f : e;
        beside_wanted += i == wanted ? 0.0f : e;
        dlogits[i] = e;
    }
    *loss += log1p_f32(beside_best);
    const float scale = p->scale / (1.0f + beside_best);
    dlogits[wanted] = -beside_wanted;
    MG_ROLLED
    for (int32_t i = 0; i < p->size; ++i) {
        dlogits[i] *= scale;
    }
}
