/* mcugrad: a compiled network that keeps learning. The public C API.
 *
 * The caller owns all memory: an arena of MG_ARENA_BYTES (from the generated model.h), or, where
 * the model was planned for several memories, the blocks that MG_ARENA_BLOCKS lists; all aligned
 * to MG_ARENA_ALIGN. Nothing here allocates, recurses or does input or output.
 */
#ifndef MCUGRAD_H
#define MCUGRAD_H

#include <stddef.h>
#include <stdint.h>

/* The generated header refuses to compile against a runtime of another version. */
#define MG_RUNTIME_VERSION 2
#define MG_ARENA_ALIGN     16

typedef enum {
    MG_OK = 0,
    MG_ERR_ARENA = 1,      /* a block of the arena is missing, too small or not aligned */
    MG_ERR_TARGET = 2,     /* the class index is not one of the model's classes */
    MG_ERR_NOT_FINITE = 3, /* the loss or a gradient is not finite: nothing more was changed */
} mg_status;

typedef enum { MG_TYPE_S8 = 0, MG_TYPE_S32 = 1, MG_TYPE_F32 = 2 } mg_type;

typedef struct mg_model mg_model;

enum { MG_MAX_BLOCKS = 4 };

/* Called after a tensor was written when tracing is on. */
typedef void (*mg_trace_fn)(void *context, uint16_t tensor);

struct mg_model {
    uint8_t *block[MG_MAX_BLOCKS]; /* of the arena */
    uint32_t gathered;             /* samples whose gradients wait in the mini-batch */
    uint32_t updates;              /* updates done since mg_init */
    mg_status status;              /* of the step under way */
    uint8_t learning;              /* whether the forward pass is that of a training step */
    mg_trace_fn trace;             /* NULL: off */
    void *trace_context;
};

/* Sets every learning tensor and the hyper-parameters to their initial content. */
mg_status mg_init(mg_model *model, void *arena, size_t bytes);

/* The same for a model whose arena is spread over several memories: as many blocks as
 * MG_ARENA_BLOCKS lists, in its order. */
typedef struct {
    void *memory;
    size_t bytes;
} mg_block;
mg_status mg_init_blocks(mg_model *model, const mg_block *blocks, size_t count);

/* Where a sample and a target may be written to spare their copies. The next call of mg_infer
 * or mg_train_step uses the memory for other things, so write both before every call. */
void *mg_input(const mg_model *model);
void *mg_target(const mg_model *model);

/* x: one sample, or mg_input(model). y: the prediction. */
mg_status mg_infer(mg_model *model, const void *x, void *y);

/* target: an int32_t class index, the float values wanted of the output, or mg_target(model).
 * The loss is that of the sample before the update. With a mini-batch the update comes with
 * its last sample; a refused sample does not count as one. */
mg_status mg_train_step(mg_model *model, const void *x, const void *target, float *loss);

/* Hyper-parameters, from the next update on. */
typedef struct {
    float learning_rate, momentum, weight_decay;
} mg_hyper;
mg_hyper *mg_hyper_parameters(const mg_model *model);

#endif
