/* The life cycle of a model: init, infer, train step. */
#include "mg_program.h"

static void *at(const mg_model *model, uint32_t offset) {
    return model->arena + offset;
}

static void take(void *slot, const void *given, uint32_t bytes) {
    if (given != slot) {
        __builtin_memcpy(slot, given, bytes);
    }
}

mg_status mg_init(mg_model *model, void *arena, size_t bytes) {
    const mg_program *program = &mg_the_program;
    if (arena == NULL || bytes < program->arena_bytes || (uintptr_t)arena % MG_ARENA_ALIGN != 0) {
        return MG_ERR_ARENA;
    }
    *model = (mg_model){.arena = arena};
    program->reset(arena);
    return MG_OK;
}

void *mg_input(const mg_model *model) {
    return at(model, mg_the_program.input_offset);
}

void *mg_target(const mg_model *model) {
    return at(model, mg_the_program.target_offset);
}

mg_hyper *mg_hyper_parameters(const mg_model *model) {
    return at(model, mg_the_program.hyper_offset);
}

mg_status mg_infer(mg_model *model, const void *x, void *y) {
    const mg_program *program = &mg_the_program;
    take(mg_input(model), x, program->input_bytes);
    model->status = MG_OK;
    model->learning = 0;
    program->forward(model);
    program->output(model, y);
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
    for (uint32_t i = 0; i < count; ++i) {
        if (!__builtin_isfinite(values[i])) {
            model->status = MG_ERR_NOT_FINITE;
            return false;
        }
    }
    return true;
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
    program->forward(model);
    program->backward(model);
    *loss = *(const float *)at(model, program->loss_offset);
    if (model->status != MG_OK) {
        return model->status;
    }
    if (++model->gathered == program->batch) {
        if (program->update != NULL) {
            program->update(model);
        }
        model->gathered = 0;
        model->updates++;
    }
    return model->status;
}
