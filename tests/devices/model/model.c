/* What the code generator writes, by hand and in small: a dense layer of 4 inputs and 3 classes,
 * softmax cross-entropy, SGD. The device tests run it. Of several cores the first does it all. */
#include "model.h"
#include "mg_program.h"

enum { INPUTS = 4, CLASSES = 3 };

/* State first, then the workspace. */
typedef struct {
    float w[CLASSES][INPUTS], b[CLASSES];
    mg_hyper hyper;
    float x[INPUTS], y[CLASSES], dy[CLASSES], loss;
    int32_t label;
} memory;
_Static_assert(sizeof(memory) == MG_USED_BYTES, "model.h says otherwise");

static const float initial_w[CLASSES][INPUTS] = {
    {0.1F, 0.2F, -0.3F, 0.4F}, {-0.1F, 0.0F, 0.1F, 0.2F}, {0.3F, -0.2F, 0.1F, 0.0F}};

static memory *in(const mg_model *model) {
    return (memory *)(void *)model->block[0];
}

static void reset(mg_model *model) {
    memory *m = in(model);
    __builtin_memcpy(m->w, initial_w, sizeof m->w);
    __builtin_memset(m->b, 0, sizeof m->b);
    m->hyper = (mg_hyper){.learning_rate = 0.5F, .momentum = 0.0F, .weight_decay = 0.0F};
}

static void forward(mg_model *model) {
    memory *m = in(model);
    if (mg_core() != 0) {
        return;
    }
    for (int c = 0; c < CLASSES; c++) {
        m->y[c] = m->b[c];
        for (int i = 0; i < INPUTS; i++) {
            m->y[c] += m->w[c][i] * m->x[i];
        }
    }
}

static void softmax(const float *y, float *p) {
    float sum = 0.0F;
    for (int c = 0; c < CLASSES; c++) {
        p[c] = __builtin_expf(y[c]);
        sum += p[c];
    }
    for (int c = 0; c < CLASSES; c++) {
        p[c] /= sum;
    }
}

static void output(mg_model *model, void *y) {
    if (mg_core() == 0) {
        softmax(in(model)->y, y);
    }
}

static void judge(memory *m) {
    softmax(m->y, m->dy);
    m->loss = -__builtin_logf(m->dy[m->label]);
    m->dy[m->label] -= 1.0F;
}

static void update(memory *m) {
    for (int c = 0; c < CLASSES; c++) {
        m->b[c] -= m->hyper.learning_rate * m->dy[c];
        for (int i = 0; i < INPUTS; i++) {
            m->w[c][i] -= m->hyper.learning_rate * m->dy[c] * m->x[i];
        }
    }
}

static void backward(mg_model *model) {
    memory *m = in(model);
    if (mg_core() == 0) {
        judge(m);
    }
    mg_join();
    if (!mg_is_finite(model, &m->loss, 1)) {
        return;
    }
    mg_report(model, 3);
    if (mg_core() == 0) {
        update(m);
    }
    mg_join();
    mg_report(model, 1);
    mg_report(model, 0);
}

static const mg_tensor tensors[] = {
    {{0, offsetof(memory, w)}, sizeof(float) * CLASSES * INPUTS, 1},
    {{0, offsetof(memory, b)}, sizeof(float) * CLASSES, 1},
    {{0, offsetof(memory, hyper)}, sizeof(mg_hyper), 1},
    {{0, offsetof(memory, dy)}, sizeof(float) * CLASSES, 0},
};

const mg_program mg_the_program = {
    .fingerprint = 0x12345678,
    .arena_bytes = MG_ARENA_BYTES,
    .state_bytes = offsetof(memory, x),
    .block_count = 1,
    .block_bytes = &(const uint32_t){MG_ARENA_BYTES},
    .input_bytes = sizeof(float) * INPUTS,
    .output_bytes = sizeof(float) * CLASSES,
    .target_bytes = sizeof(int32_t),
    .input = {0, offsetof(memory, x)},
    .target = {0, offsetof(memory, label)},
    .loss = {0, offsetof(memory, loss)},
    .hyper = {0, offsetof(memory, hyper)},
    .classes = CLASSES,
    .batch = 1,
    .input_type = MG_TYPE_F32,
    .output_type = MG_TYPE_F32,
    .tensor_count = sizeof tensors / sizeof *tensors,
    .tensors = tensors,
    .reset = reset,
    .forward = forward,
    .output = output,
    .backward = backward,
    .update = NULL,
};
