/* The link over stdin and stdout, under sanitizers. The arena has exactly the bytes that the
 * model asks for; those of it that no message may write are painted, and looked at in the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mg_link.h"
#include "mg_port.h"
#include "mg_program.h"
#include "model.h"

enum { PAINT = 0xA5, SPARE = MG_ARENA_BYTES - MG_USED_BYTES };

static uint64_t calls;

uint8_t mg_port_get(void) {
    return 0;
}

void mg_port_put(uint8_t byte) {
    (void)putchar(byte);
}

mg_counter mg_port_counter(void) {
    return (mg_counter){MG_UNIT_INSTRUCTIONS, 1};
}

uint64_t mg_port_count(void) {
    return ++calls;
}

mg_stack mg_port_stack(void) {
    return (mg_stack){1000, 100};
}

int main(void) {
    mg_link *link = malloc(sizeof *link);
    uint8_t *arena = aligned_alloc(MG_ARENA_ALIGN, MG_ARENA_BYTES);
    mg_prediction_element *output = malloc(sizeof *output * MG_PREDICTION_SIZE);
    uint8_t *spare = arena + MG_USED_BYTES;
    memset(arena, PAINT, MG_ARENA_BYTES);
    if (mg_link_init(link, &(mg_block){arena, MG_ARENA_BYTES}, 1, output) != MG_OK) {
        return 2;
    }
    for (int c = getchar(); c != EOF; c = getchar()) {
        mg_link_receive(link, (uint8_t)c);
        if (c == 0) {
            (void)fflush(stdout);
        }
    }
    for (int i = 0; i < SPARE; i++) {
        if (spare[i] != PAINT) {
            return 3;
        }
    }
    free(output);
    free(arena);
    free(link);
    return 0;
}
