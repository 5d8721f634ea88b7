/* From the start-up code of a core to main: paints the stack, sets up data and bss. */
#include "../image.h"
#include "mg_cores.h"
#include "mg_port.h"

#define PAINT 0x5AC0FFEEU

int main(void);

static uint32_t distance(const uint32_t *low, const uint32_t *high) {
    return (uint32_t)((uintptr_t)high - (uintptr_t)low);
}

_Noreturn void mg_start(void) {
    /* Volatile: the compiler must not make a call of memset of it, whose frame is painted. */
    volatile uint32_t *const here = __builtin_frame_address(0);
    for (volatile uint32_t *p = mg_stack_low; p < here - 32; p++) {
        *p = PAINT;
    }
    __builtin_memcpy(mg_data_low, mg_data_load, distance(mg_data_low, mg_data_high));
    __builtin_memset(mg_bss_low, 0, distance(mg_bss_low, mg_bss_high));
    mg_start_cores();
    (void)main();
    for (;;) {
    }
}

mg_stack mg_port_stack(void) {
    const uint32_t *p = mg_stack_low;
    while (p < mg_stack_high && *p == PAINT) {
        p++;
    }
    return (mg_stack){distance(mg_stack_low, mg_stack_high), distance(p, mg_stack_high)};
}
