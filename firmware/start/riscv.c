/* Start-up of a RISC-V core in machine mode. */
#include "../image.h"
#include "mg_cores.h"

/* A fault restarts the firmware: the host sees a new session and says so. Of several cores it stops
 * the one, and with it, at the next barrier, all: the host sees that there is no answer. */
__attribute__((naked, used, section(".mg_start"))) void _start(void) {
    __asm(".option push\n\t"
          ".option norelax\n\t"
          "la sp, mg_stack_high\n\t"
          ".option pop\n\t"
#if MG_CORES > 1
          "la t1, mg_stack_low\n\t" /* of the first core; another one has its stack below */
          "sub t1, sp, t1\n\t"
          "csrr t2, mhartid\n\t"
          "mul t1, t1, t2\n\t"
          "sub sp, sp, t1\n\t"
          "la t0, 3f\n\t"
#else
          "la t0, _start\n\t"
#endif
          "csrw mtvec, t0\n\t"
#ifdef __riscv_flen
          "li t0, 0x6000\n\t" /* mstatus.FS: the FPU is on */
          "csrs mstatus, t0\n\t"
          "csrw fcsr, zero\n\t"
#endif
#ifdef __riscv_v_elen
          "li t0, 0x600\n\t" /* mstatus.VS: the vector unit is on */
          "csrs mstatus, t0\n\t"
#endif
#if MG_CORES > 1
          "beqz t2, 2f\n\t"
          "j mg_start_other\n\t"
          ".balign 4\n"
          "3:\n\t"
          "wfi\n\t"
          "j 3b\n"
          "2:\n\t"
#endif
          "j mg_start");
}
