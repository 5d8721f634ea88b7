/* From the start-up code of a core to main: paints its stack, sets up data and bss. */
#include "../image.h"
#include "mg_cores.h"
#include "mg_port.h"

#define PAINT 0x5AC0FFEEU

int main(void);

static uint32_t distance(const uint32_t *low, const uint32_t *high) {
    return (uint32_t)((uintptr_t)high - (uintptr_t)low);
}

/* The lowest word of the stack of `core`: each lies below that of the core before. */
static uint32_t *stack_of(uint32_t core) {
    return mg_stack_low - core * (distance(mg_stack_low, mg_stack_high) / sizeof *mg_stack_low);
}

void mg_paint_stack(void) {
    /* Volatile: the compiler must not make a call of memset of it, whose frame is painted. */
    volatile uint32_t *const here = __builtin_frame_address(0);
    for (volatile uint32_t *p = stack_of(mg_core()); p < here - 32; p++) {
        *p = PAINT;
    }
}

_Noreturn void mg_start(void) {
    mg_paint_stack();
    __builtin_memcpy(mg_data_low, mg_data_load, distance(mg_data_low, mg_data_high));
    __builtin_memset(mg_bss_low, 0, distance(mg_bss_low, mg_bss_high));
    mg_start_cores();
    (void)main();
    for (;;) {
    }
}

mg_stack mg_port_stack(void) {
    const uint32_t size = distance(mg_stack_low, mg_stack_high);
    uint32_t used = 0;
    for (uint32_t core = 0; core < MG_CORES; core++) {
        uint32_t free = 0;
        while (free < size && stack_of(core)[free / sizeof(uint32_t)] == PAINT) {
            free += sizeof(uint32_t);
        }
        used = size - free > used ? size - free : used;
    }
    return (mg_stack){size, used};
}
