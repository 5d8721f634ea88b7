/* Sleeping until a peripheral wants something. Its interrupt wakes the core and is never taken. */
#ifndef MG_CORTEX_M_WAIT_H
#define MG_CORTEX_M_WAIT_H

#include <stdint.h>

/* Returns at once if the interrupt was raised since the last call, so a caller looks at its
 * peripheral, sleeps, and looks again. */
static inline void mg_sleep_until(uint32_t interrupt) {
    volatile uint32_t *const nvic = (volatile uint32_t *)0xE000E100 + interrupt / 32;
    enum { SET_ENABLE = 0, CLEAR_ENABLE = 0x80 / 4, CLEAR_PENDING = 0x180 / 4 };
    const uint32_t bit = 1U << interrupt % 32;
    __asm volatile("cpsid i" ::: "memory");
    nvic[SET_ENABLE] = bit;
    __asm volatile("dsb\n\twfi" ::: "memory");
    nvic[CLEAR_ENABLE] = bit;
    nvic[CLEAR_PENDING] = bit;
    __asm volatile("cpsie i" ::: "memory");
}

#endif
