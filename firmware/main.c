/* The generic training firmware: a model behind a link. */
#include "mg_link.h"
#include "mg_port.h"
#include "model.h"

static _Alignas(MG_ARENA_ALIGN) uint8_t arena[MG_ARENA_BYTES] __attribute__((section(".mg_arena")));
static _Alignas(4) mg_prediction_element output[MG_PREDICTION_SIZE];
static mg_link link;

int main(void) {
    mg_port_init();
    mg_port_start_counter();
    if (mg_link_init(&link, arena, sizeof arena, output) != MG_OK) {
        return 1;
    }
    for (;;) {
        mg_link_receive(&link, mg_port_get());
    }
}
