/* Cycles of a Cortex-M, from SysTick widened by its overflow interrupt.
 *
 * An emulator has no cycles. There the virtual clock advances one nanosecond an instruction
 * (-icount shift=0), so a tick of SysTick stands for 1e9 / MG_CORE_HZ instructions. It is told
 * from a board by the DWT's cycle counter, which does not move.
 */
#include "mg_port.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define SYST_CSR   REGISTER(0xE000E010)
#define SYST_RVR   REGISTER(0xE000E014)
#define SYST_CVR   REGISTER(0xE000E018)
#define DEMCR      REGISTER(0xE000EDFC)
#define DWT_CTRL   REGISTER(0xE0001000)
#define DWT_CYCCNT REGISTER(0xE0001004)

enum { MHZ = MG_CORE_HZ / 1000000 };
enum { TICKS_IN_ALL = 1 << 24, ENABLE = 1, INTERRUPT = 2, CORE_CLOCK = 4, TRACE_ON = 1 << 24 };

static volatile uint32_t overflows;
static uint8_t emulated;

void mg_systick_overflow(void);

void mg_systick_overflow(void) {
    overflows++;
}

void mg_port_start_counter(void) {
    SYST_RVR = TICKS_IN_ALL - 1;
    SYST_CVR = 0;
    SYST_CSR = ENABLE | INTERRUPT | CORE_CLOCK;
    DEMCR |= TRACE_ON;
    DWT_CTRL |= 1;
    const uint32_t before = DWT_CYCCNT;
    emulated = DWT_CYCCNT == before;
}

mg_counter mg_port_counter(void) {
    if (!emulated) {
        return (mg_counter){MG_UNIT_CYCLES, 1};
    }
    return (mg_counter){MG_UNIT_INSTRUCTIONS, (1000000000 + MG_CORE_HZ - 1) / MG_CORE_HZ};
}

uint64_t mg_port_count(void) {
    uint32_t high, ticks;
    do {
        high = overflows;
        ticks = TICKS_IN_ALL - 1 - SYST_CVR;
    } while (high != overflows);
    const uint64_t all = (uint64_t)high * TICKS_IN_ALL + ticks;
    if (!emulated) {
        return all;
    }
    return 1000 % MHZ == 0 ? all * (1000 / MHZ) : all * 1000 / MHZ;
}
