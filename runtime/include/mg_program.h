/* What the compiler generates for one model and the runtime runs. */
#ifndef MG_PROGRAM_H
#define MG_PROGRAM_H

#include <stdbool.h>

#include "mcugrad.h"

/* One tensor that can be named over a link: a place in the arena, or a constant. */
typedef struct {
    const void *constant; /* NULL: in the arena */
    uint32_t offset;      /* in the arena */
    uint32_t bytes;
    uint8_t writable; /* learning tensors, optimiser state, hyper-parameters */
} mg_tensor;

typedef struct {
    uint32_t fingerprint; /* CRC-32 of the manifest's graph: names the model */
    uint32_t arena_bytes; /* state and workspace */
    uint32_t state_bytes; /* from the arena's start */
    uint32_t input_offset, input_bytes;
    uint32_t output_bytes;
    uint32_t target_offset, target_bytes; /* in the arena */
    uint32_t loss_offset, hyper_offset;
    uint32_t classes; /* bound of a class index; 0: the target is a vector */
    uint32_t batch;
    uint16_t input_type, output_type;
    uint16_t tensor_count;
    const mg_tensor *tensors;
    void (*reset)(uint8_t *arena); /* fills the state, hyper-parameters with it */
    void (*forward)(mg_model *model);
    void (*output)(mg_model *model, void *y); /* follows forward */
    void (*backward)(mg_model *model); /* loss, gradients; updates too where the batch is 1 */
    void (*update)(mg_model *model);   /* after the last sample of a mini-batch; NULL: nothing */
} mg_program;

/* Defined by the generated model.c. */
extern const mg_program mg_the_program;

/* Whether all values are finite; sets the model's status where one is not. Generated code asks
 * it of the loss, before anything is changed, and of each gradient before it is used. */
bool mg_is_finite(mg_model *model, const float *values, uint32_t count);

/* Generated code reports each traced tensor as soon as it is complete. */
#define MG_TRACE(model, tensor)                                                                    \
    do {                                                                                           \
        if ((model)->trace != NULL) {                                                              \
            (model)->trace((model)->trace_context, (uint16_t)(tensor));                            \
        }                                                                                          \
    } while (0)

#endif
