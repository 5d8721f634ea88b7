/* Instructions retired, from RISC-V's own counter. */
#include "mg_port.h"

void mg_port_start_counter(void) {}

mg_counter mg_port_counter(void) {
    return (mg_counter){MG_UNIT_INSTRUCTIONS, 1};
}

uint64_t mg_port_count(void) {
    uint32_t high, low, again;
    do {
        __asm volatile("csrr %0, minstreth" : "=r"(high));
        __asm volatile("csrr %0, minstret" : "=r"(low));
        __asm volatile("csrr %0, minstreth" : "=r"(again));
    } while (high != again);
    return (uint64_t)high << 32 | low;
}
