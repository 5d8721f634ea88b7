/* The life cycle of a model: init, infer, train step. */
#include "mg_cores.h"
#include "mg_program.h"

void *mg_at(const mg_model *model, mg_place place) {
    return model->block[place.block] + place.offset;
}

static void take(void *slot, const void *given, uint32_t bytes) {
    if (given != slot) {
        __builtin_memcpy(slot, given, bytes);
    }
}

mg_status mg_init(mg_model *model, void *arena, size_t bytes) {
    return mg_init_blocks(model, &(mg_block){arena, bytes}, 1);
}

mg_status mg_init_blocks(mg_model *model, const mg_block *blocks, size_t count) {
    const mg_program *program = &mg_the_program;
    mg_model fresh = {.trace = NULL};
    if (count != program->block_count) {
        return MG_ERR_ARENA;
    }
    for (size_t i = 0; i < count; i++) {
        if (blocks[i].memory == NULL || blocks[i].bytes < program->block_bytes[i] ||
            (uintptr_t)blocks[i].memory % MG_ARENA_ALIGN != 0) {
            return MG_ERR_ARENA;
        }
        fresh.block[i] = blocks[i].memory;
    }
    *model = fresh;
    program->reset(model);
    return MG_OK;
}

void mg_restart(mg_model *model) {
    model->gathered = 0;
    model->updates = 0;
    mg_the_program.reset(model);
}

void *mg_input(const mg_model *model) {
    return mg_at(model, mg_the_program.input);
}

void *mg_target(const mg_model *model) {
    return mg_at(model, mg_the_program.target);
}

mg_hyper *mg_hyper_parameters(const mg_model *model) {
    return mg_at(model, mg_the_program.hyper);
}

static void infer(mg_model *model, void *y) {
    mg_the_program.forward(model);
    mg_the_program.output(model, y);
}

static void learn(mg_model *model, void *data) {
    (void)data;
    mg_the_program.forward(model);
    mg_the_program.backward(model);
}

static void update(mg_model *model, void *data) {
    (void)data;
    mg_the_program.update(model);
}

mg_status mg_infer(mg_model *model, const void *x, void *y) {
    const mg_program *program = &mg_the_program;
    take(mg_input(model), x, program->input_bytes);
    model->status = MG_OK;
    model->learning = 0;
    mg_fork(infer, model, y);
    return model->status;
}

static mg_status check_target(const void *target) {
    const uint32_t classes = mg_the_program.classes;
    int32_t label;
    if (classes == 0) {
        return MG_OK;
    }
    __builtin_memcpy(&label, target, sizeof label);
    return label >= 0 && (uint32_t)label < classes ? MG_OK : MG_ERR_TARGET;
}

bool mg_is_finite(mg_model *model, const float *values, uint32_t count) {
    const mg_part part = mg_share((int32_t)count, 1);
    for (int32_t i = part.first; i < part.end; ++i) {
        if (!__builtin_isfinite(values[i])) {
            model->status = MG_ERR_NOT_FINITE;
            break;
        }
    }
    mg_join();
    const bool all = model->status == MG_OK;
    mg_join(); /* or a core that goes on could change what another one has still to read */
    return all;
}

void mg_report(const mg_model *model, uint16_t tensor) {
    if (model->trace != NULL) {
        if (mg_core() == 0) {
            model->trace(model->trace_context, tensor);
        }
        mg_join();
    }
}

mg_status mg_train_step(mg_model *model, const void *x, const void *target, float *loss) {
    const mg_program *program = &mg_the_program;
    model->status = check_target(target);
    if (model->status != MG_OK) {
        return model->status;
    }
    take(mg_input(model), x, program->input_bytes);
    take(mg_target(model), target, program->target_bytes);
    model->learning = 1;
    mg_fork(learn, model, NULL);
    *loss = *(const float *)mg_at(model, program->loss);
    if (model->status != MG_OK) {
        return model->status;
    }
    if (++model->gathered == program->batch) {
        if (program->update != NULL) {
            mg_fork(update, model, NULL);
        }
        model->gathered = 0;
        model->updates++;
    }
    return model->status;
}
