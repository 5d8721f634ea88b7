#include "mg_cores.h"
#include "mg_kernels.h"

/* Near zero the polynomial of Cephes' tanhf, whose relative error stays small; beyond it
 * 1 - 2 / (exp(2x) + 1), which saturates by itself. */
static inline float tanh_f32(float x) {
    const float size = __builtin_fabsf(x);
    if (size < 0.625f) {
        const float z = x * x;
        float series = -5.70498872745e-3f;
        series = series * z + 2.06390887954e-2f;
        series = series * z - 5.37397155531e-2f;
        series = series * z + 1.33314422036e-1f;
        series = series * z - 3.33332819422e-1f;
        return series * z * x + x;
    }
    const float y = 1.0f - 2.0f / (__builtin_expf(2.0f * size) + 1.0f);
    return x < 0.0f ? -y : y;
}

#include "real_f32.h"

#include "tanh.h"

#include "real_f16.h"

#ifdef MG_HALF
#include "tanh.h"
#endif
