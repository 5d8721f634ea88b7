/* What the compiler generates for one model and the runtime runs. */
#ifndef MG_PROGRAM_H
#define MG_PROGRAM_H

#include <stdbool.h>

#include "mcugrad.h"
#include "mg_cores.h"

/* A place in the arena: the number of a block, and bytes from its start. */
typedef struct {
    uint32_t block, offset;
} mg_place;

/* One tensor that can be named over a link. Learning tensors, optimiser state and hyper-parameters
 * are writable. */
typedef struct {
    mg_place place;
    uint32_t bytes : 31, writable : 1;
} mg_tensor;

typedef struct {
    uint32_t fingerprint; /* CRC-32 of the manifest's graph: names the model */
    uint32_t arena_bytes; /* state and workspace, in all blocks */
    uint32_t state_bytes; /* of them; each block begins with its own */
    uint32_t block_count;
    const uint32_t *block_bytes;
    uint32_t input_bytes, output_bytes, target_bytes;
    mg_place input, target, loss, hyper;
    uint32_t classes; /* bound of a class index; 0: the target is a vector */
    uint32_t batch;
    uint16_t input_type, output_type;
    uint16_t tensor_count;
    const mg_tensor *tensors;
    void (*reset)(mg_model *model); /* fills the state, hyper-parameters with it */
    void (*forward)(mg_model *model);
    void (*output)(mg_model *model, void *y); /* follows forward */
    void (*backward)(mg_model *model); /* loss, gradients; updates too where the batch is 1 */
    void (*update)(mg_model *model);   /* after the last sample of a mini-batch; NULL: nothing */
} mg_program;

/* Defined by the generated model.c. */
extern const mg_program mg_the_program;

/* The address of a place. */
void *mg_at(const mg_model *model, mg_place place);

/* Does what mg_init does, in the blocks that the model has. */
void mg_restart(mg_model *model);

/* Whether all values are finite; sets the model's status where one is not. Generated code asks
 * it of the loss, before anything is changed, and of each gradient before it is used. Each of
 * several cores looks through a share, and all get the same answer. */
bool mg_is_finite(mg_model *model, const float *values, uint32_t count);

/* Generated code reports each traced tensor as soon as it is complete, and all cores wait until
 * that is done. */
void mg_report(const mg_model *model, uint16_t tensor);

#endif
