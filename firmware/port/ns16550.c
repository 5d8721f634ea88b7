/* The 16550 UART, its registers one byte apart, at MG_UART_BASE, behind a RISC-V PLIC. */
#include "mg_port.h"

typedef struct {
    volatile uint8_t data, interrupts, fifo, line_control, modem_control, line_status;
} uart_registers;

#define UART ((uart_registers *)MG_UART_BASE)

/* The registers of the platform-level interrupt controller, for hart 0 in machine mode. */
#define PLIC(offset)  (*(volatile uint32_t *)(MG_PLIC_BASE + (offset)))
#define PLIC_PRIORITY PLIC(4 * MG_UART_INTERRUPT)
#define PLIC_ENABLE   PLIC(0x2000 + 4 * (MG_UART_INTERRUPT / 32))
#define PLIC_LIMIT    PLIC(0x200000)
#define PLIC_CLAIM    PLIC(0x200004)

enum { RX_READY = 0x01, TX_EMPTY = 0x20, FIFO_ON_AND_CLEAR = 0x07, EIGHT_BITS = 0x03 };
enum { RX_INTERRUPT = 0x01, EXTERNAL_INTERRUPT = 1 << 11 };

void mg_port_init(void) {
    UART->line_control = EIGHT_BITS;
    UART->fifo = FIFO_ON_AND_CLEAR;
    UART->interrupts = RX_INTERRUPT;
    PLIC_PRIORITY = 1;
    PLIC_ENABLE = 1U << MG_UART_INTERRUPT % 32;
    PLIC_LIMIT = 0;
    /* Interrupts end a sleep and are not taken: mstatus.MIE stays off. */
    __asm volatile("csrs mie, %0" ::"r"(EXTERNAL_INTERRUPT));
}

uint8_t mg_port_get(void) {
    while ((UART->line_status & RX_READY) == 0) {
        __asm volatile("wfi" ::: "memory");
        PLIC_CLAIM = PLIC_CLAIM;
    }
    return UART->data;
}

void mg_port_put(uint8_t byte) {
    while ((UART->line_status & TX_EMPTY) == 0) {
    }
    UART->data = byte;
}
