/* Start-up of every Cortex-M: vector table, FPU, faults. */
#include "../image.h"

#define CPACR (*(volatile uint32_t *)0xE000ED88)
#define AIRCR (*(volatile uint32_t *)0xE000ED0C)

enum { VECTORS = 16 };

/* Absent where another timer counts. */
__attribute__((weak)) void mg_systick_overflow(void);

/* A fault restarts the firmware: the host sees a new session and says so. */
static void fault(void) {
    AIRCR = 0x05FA0004;
    for (;;) {
    }
}

__attribute__((used)) static void reset(void) {
#ifdef __ARM_FP
    CPACR |= 0xFU << 20;
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
    mg_start();
}

/* The core loads the stack pointer itself, but a debugger or loader need not. */
__attribute__((naked, noreturn, used)) void _start(void) {
    __asm("ldr r0, =mg_stack_high\n\tmsr msp, r0\n\tbl %c0" ::"i"(reset));
}

typedef union {
    void *address;
    void (*handler)(void);
} vector;

__attribute__((section(".mg_start"), used)) const vector mg_vectors[VECTORS] = {
    {.address = mg_stack_high}, {.handler = _start},
    {.handler = fault},         {.handler = fault},
    {.handler = fault},         {.handler = fault},
    {.handler = fault},         [11] = {.handler = fault},
    [14] = {.handler = fault},  [15] = {.handler = mg_systick_overflow},
};
