/* What a board provides to the generic firmware and the link: bytes, a counter, its stack. */
#ifndef MG_PORT_H
#define MG_PORT_H

#include <stdint.h>

/* Clocks, serial port, counter. */
void mg_port_init(void);

/* The next byte from the host, waiting for it; and a byte to the host. */
uint8_t mg_port_get(void);
void mg_port_put(uint8_t byte);

typedef enum { MG_UNIT_NOTHING = 0, MG_UNIT_INSTRUCTIONS = 1, MG_UNIT_CYCLES = 2 } mg_unit;

/* What is counted, and the step in which the count advances. */
typedef struct {
    mg_unit unit;
    uint32_t resolution;
} mg_counter;

void mg_port_start_counter(void);
mg_counter mg_port_counter(void);
uint64_t mg_port_count(void);

/* The stack's size and its high-water mark, in bytes. */
typedef struct {
    uint32_t bytes, used;
} mg_stack;
mg_stack mg_port_stack(void);

#endif
