/* Cycles of an nRF51, which has no SysTick, from TIMER0 at the core's 16 MHz.
 *
 * An emulator has no cycles. There the virtual clock advances one nanosecond an instruction
 * (-icount shift=0), so a tick stands for 62.5 instructions. It is told from a board by a run of
 * instructions, each of which costs a board at least a cycle.
 */
#include "mg_port.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define TIMER_START     REGISTER(0x40008000)
#define TIMER_CAPTURE   REGISTER(0x40008040)
#define TIMER_BITMODE   REGISTER(0x40008508)
#define TIMER_PRESCALER REGISTER(0x40008510)
#define TIMER_CC        REGISTER(0x40008540)

enum { BITS_32 = 3, PROBE = 128 };

static uint64_t total;
static uint32_t latest;
static uint8_t emulated;

/* A wrap takes 268 s; one that passes between two readings is not seen. */
static uint64_t ticks(void) {
    TIMER_CAPTURE = 1;
    const uint32_t now = TIMER_CC;
    total += now - latest;
    latest = now;
    return total;
}

void mg_port_start_counter(void) {
    TIMER_BITMODE = BITS_32;
    TIMER_PRESCALER = 0;
    TIMER_START = 1;
    const uint64_t before = ticks();
    __asm volatile(".rept %c0\n\tnop\n\t.endr" ::"i"(PROBE));
    emulated = ticks() - before < PROBE;
}

mg_counter mg_port_counter(void) {
    if (!emulated) {
        return (mg_counter){MG_UNIT_CYCLES, 1};
    }
    return (mg_counter){MG_UNIT_INSTRUCTIONS, (1000000000 + MG_CORE_HZ - 1) / MG_CORE_HZ};
}

uint64_t mg_port_count(void) {
    return emulated ? ticks() * 1000 / (MG_CORE_HZ / 1000000) : ticks();
}
