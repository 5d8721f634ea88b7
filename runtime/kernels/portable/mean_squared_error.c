#include "mg_kernels.h"

void mg_mean_squared_error_f32_fwd(const mg_loss_params *p, const float *prediction,
                                   const float *target, float *loss, float *dprediction) {
    const float factor = p->scale * 2.0f / (float)p->size;
    float sum = 0.0f;
    for (int32_t i = 0; i < p->size; ++i) {
        const float difference = prediction[i] - target[i];
        sum += difference * difference;
        dprediction[i] = factor * difference;
    }
    *loss = sum / (float)p->size;
}
