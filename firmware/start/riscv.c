/* Start-up of a RISC-V core in machine mode. */
#include "../image.h"

/* A fault restarts the firmware: the host sees a new session and says so. */
__attribute__((naked, used, section(".mg_start"))) void _start(void) {
    __asm(".option push\n\t"
          ".option norelax\n\t"
          "la sp, mg_stack_high\n\t"
          ".option pop\n\t"
          "la t0, _start\n\t"
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
          "j mg_start");
}
