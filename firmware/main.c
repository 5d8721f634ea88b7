/* The generic training firmware: a model behind a link. */
#include "mg_link.h"
#include "mg_port.h"
#include "model.h"

/* The linker script sends each section .mg_arena<number> to a memory. */
#define ARENA(number, bytes)                                                                       \
    static _Alignas(MG_ARENA_ALIGN) uint8_t arena##number[bytes]                                   \
        __attribute__((section(".mg_arena" #number)));
MG_ARENA_BLOCKS(ARENA)

#define BLOCK(number, bytes) {arena##number, bytes},
static const mg_block blocks[] = {MG_ARENA_BLOCKS(BLOCK)};

static _Alignas(4) mg_prediction_element output[MG_PREDICTION_SIZE];
static mg_link link;

int main(void) {
    mg_port_init();
    mg_port_start_counter();
    if (mg_link_init(&link, blocks, sizeof blocks / sizeof *blocks, output) != MG_OK) {
        return 1;
    }
    for (;;) {
        mg_link_receive(&link, mg_port_get());
    }
}
