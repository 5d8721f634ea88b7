/* Whether gradients in half precision overflow. */
#include "xfvec.h"

enum { WORDS = 8 };

/* Only of what is no finite number is the product with zero none. */
void mg_all_finite_f16_fwd_xfvec(const mg_size_params *p, const mg_f16 *x, const int32_t *before,
                                 int32_t *finite) {
    const mg_halves zeros = mg_pack(0, 0);
    const mg_f16 *const end = x + p->size;
    float sum = before == NULL || *before != 0 ? 0.0F : 1.0F;
    MG_ROLLED
    for (; end - x >= 2 * WORDS; x += 2 * WORDS) {
        MG_UNROLLED
        for (int i = 0; i < WORDS; ++i) {
            sum = mg_add_products(sum, mg_load_halves(x + 2 * i), zeros);
        }
    }
    MG_ROLLED
    for (; end - x >= 2; x += 2) {
        sum = mg_add_products(sum, mg_load_halves(x), zeros);
    }
    if (x != end) {
        sum += (float)*x * 0.0F;
    }
    *finite = sum == 0;
}
