/* The UART of Nordic's nRF51 (nRF51 Series Reference Manual), on the pins of a micro:bit. */
#include "cortex_m_wait.h"
#include "mg_port.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define CLOCK_HFCLKSTART REGISTER(0x40000000)
#define GPIO_OUTSET      REGISTER(0x50000508)
#define GPIO_DIRSET      REGISTER(0x50000518)

#define UART_STARTRX  REGISTER(0x40002000)
#define UART_STARTTX  REGISTER(0x40002008)
#define UART_RXDRDY   REGISTER(0x40002108)
#define UART_TXDRDY   REGISTER(0x4000211C)
#define UART_INTENSET REGISTER(0x40002304)
#define UART_ENABLE   REGISTER(0x40002500)
#define UART_PSELTXD  REGISTER(0x4000250C)
#define UART_PSELRXD  REGISTER(0x40002514)
#define UART_RXD      REGISTER(0x40002518)
#define UART_TXD      REGISTER(0x4000251C)
#define UART_BAUDRATE REGISTER(0x40002524)

enum { TX_PIN = 24, RX_PIN = 25, BAUD_921600 = 0x0EBED000, UART_ON = 4 };
enum { RX_INTERRUPT = 1 << 2, UART_INTERRUPT = 2 };

void mg_port_init(void) {
    CLOCK_HFCLKSTART = 1; /* the crystal: the RC oscillator is too coarse for a UART */
    GPIO_OUTSET = 1U << TX_PIN;
    GPIO_DIRSET = 1U << TX_PIN;
    UART_PSELTXD = TX_PIN;
    UART_PSELRXD = RX_PIN;
    UART_BAUDRATE = BAUD_921600;
    UART_ENABLE = UART_ON;
    UART_INTENSET = RX_INTERRUPT;
    UART_STARTTX = 1;
    UART_STARTRX = 1;
}

uint8_t mg_port_get(void) {
    while (UART_RXDRDY == 0) {
        mg_sleep_until(UART_INTERRUPT);
    }
    UART_RXDRDY = 0; /* first: reading may bring the next byte of the queue and its event */
    return (uint8_t)UART_RXD;
}

void mg_port_put(uint8_t byte) {
    UART_TXDRDY = 0;
    UART_TXD = byte;
    while (UART_TXDRDY == 0) {
    }
}
