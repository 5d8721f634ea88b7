/* What the linker script defines, and how every start-up begins. */
#ifndef MG_IMAGE_H
#define MG_IMAGE_H

#include <stdint.h>

extern uint32_t mg_stack_low[], mg_stack_high[];
extern uint32_t mg_data_load[], mg_data_low[], mg_data_high[], mg_bss_low[], mg_bss_high[];

/* Called with the stack pointer at mg_stack_high, FPU on: fills the memory, runs main. */
_Noreturn void mg_start(void);

/* Fills the stack of the core that asks, below the caller, with what mg_port_stack looks for. */
void mg_paint_stack(void);

/* As mg_start, of a core beside the first, which waits for work. */
_Noreturn void mg_start_other(void);

#endif
