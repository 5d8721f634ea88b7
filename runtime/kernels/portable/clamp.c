#include "arithmetic.h"
#include "mg_cores.h"
#include "tile.h"

#include "real_f32.h"

#include "clamp.h"

#include "real_f16.h"

#ifdef MG_HALF
#include "clamp.h"
#endif

void mg_clamp_s8_bwd_data(const mg_size_params *p, const mg_clamp_s8 *q, const float *dy,
                          const int8_t *y, float *dx) {
    const mg_clamp_s8 range = *q;
    const mg_part part = mg_share(p->size, 4);
    for (int32_t i = part.first; i < part.end; ++i) {
        dx[i] = y[i] > range.low && y[i] < range.high ? dy[i] : 0.0f;
    }
}
