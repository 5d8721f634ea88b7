/* The UART of Arm's Cortex-M System Design Kit, at MG_UART_BASE. */
#include "cortex_m_wait.h"
#include "mg_port.h"

typedef struct {
    volatile uint32_t data, state, control, interrupt, divider;
} uart_registers;

#define UART ((uart_registers *)MG_UART_BASE)

enum { TX_FULL = 1, RX_FULL = 2, TX_ENABLE = 1, RX_ENABLE = 2, RX_INTERRUPT = 8, RX_RAISED = 2 };

void mg_port_init(void) {
    UART->divider = MG_CORE_HZ / 921600;
    UART->control = TX_ENABLE | RX_ENABLE | RX_INTERRUPT;
}

uint8_t mg_port_get(void) {
    while ((UART->state & RX_FULL) == 0) {
        mg_sleep_until(MG_UART_INTERRUPT);
        UART->interrupt = RX_RAISED;
    }
    return (uint8_t)UART->data;
}

void mg_port_put(uint8_t byte) {
    while ((UART->state & TX_FULL) != 0) {
    }
    UART->data = byte;
}
