/* The phases of an axis. */
#include "phase.h"

mg_phase mg_phase_of(const mg_axis *a, int32_t first) {
    const int32_t step = mg_tap_step(a);
    int32_t tap = 0;
    while (tap < step && (first + a->pad - tap * a->dilation) % a->stride != 0) {
        tap++;
    }
    const int32_t taps = tap < mg_min(step, a->kernel) ? mg_ceil_div(a->kernel - tap, step) : 0;
    const int32_t last = tap + (taps - 1) * step;
    return (mg_phase){
        .count = mg_ceil_div(a->in - first, a->stride),
        .last = last,
        .step = step,
        .taps = taps,
        .start = taps > 0 ? (first + a->pad - last * a->dilation) / a->stride : 0,
        .dilation = step * a->dilation / a->stride,
    };
}
