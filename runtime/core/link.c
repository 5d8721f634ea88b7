/* Requests of a host, and the answers. All numbers on the link are little-endian, as every
 * target is. */
#include "mg_link.h"
#include "mg_port.h"
#include "mg_program.h"

enum { TENSOR_OUTPUT = 0xFFFF, SLOT_INPUT = 0, SLOT_TARGET = 1, FLAG_TRACE = 1, FLAG_START = 1 };

_Static_assert(MG_LINK_PAYLOAD >= 128, "an answer to MG_HELLO needs room");

/* A message's payload while it is read. */
typedef struct {
    const uint8_t *bytes;
    uint32_t length;
} reader;

static uint32_t take(reader *r, uint32_t bytes) {
    uint32_t value = 0;
    __builtin_memcpy(&value, r->bytes, bytes);
    r->bytes += bytes;
    r->length -= bytes;
    return value;
}

static void put(mg_frame *frame, uint32_t value, uint32_t bytes) {
    mg_frame_append(frame, &value, bytes);
}

static uint32_t room(const mg_frame *frame) {
    return MG_FRAME_HEADER + MG_LINK_PAYLOAD - frame->length;
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static bool fits(uint32_t offset, uint32_t bytes, uint32_t whole) {
    return offset <= whole && bytes <= whole - offset;
}

/* Sends a traced tensor. The request was read already, so its frame's memory is free. */
static void send_traced(void *context, uint16_t number) {
    mg_link *link = context;
    const mg_tensor *tensor = &mg_the_program.tensors[number];
    const uint8_t *content = mg_at(&link->model, tensor->place);
    mg_frame *frame = &link->decoder.frame;
    uint32_t offset = 0;
    do {
        mg_frame_start(frame, link->next, MG_TRACED);
        put(frame, number, 2);
        put(frame, offset, 4);
        const uint32_t part = least(tensor->bytes - offset, room(frame));
        mg_frame_append(frame, content + offset, part);
        mg_frame_send(frame);
        offset += part;
    } while (offset < tensor->bytes);
}

static uint8_t on_put(mg_link *link, reader request) {
    const uint32_t slot = take(&request, 1), offset = take(&request, 4);
    const mg_program *program = &mg_the_program;
    const uint32_t whole = slot == SLOT_INPUT    ? program->input_bytes
                           : slot == SLOT_TARGET ? program->target_bytes
                                                 : 0;
    uint8_t *place = slot == SLOT_INPUT ? mg_input(&link->model) : mg_target(&link->model);
    if (!fits(offset, request.length, whole)) {
        return MG_LINK_RANGE;
    }
    __builtin_memcpy(place + offset, request.bytes, request.length);
    return MG_LINK_OK;
}

static mg_status infer(mg_link *link) {
    const uint64_t start = mg_port_count();
    const mg_status status = mg_infer(&link->model, mg_input(&link->model), link->output);
    link->infer_count = mg_port_count() - start;
    return status;
}

static uint8_t on_infer(mg_link *link, reader request) {
    (void)request;
    const mg_status status = infer(link);
    mg_frame_append(&link->answer, link->output,
                    least(mg_the_program.output_bytes, room(&link->answer)));
    return (uint8_t)status;
}

static uint8_t on_train(mg_link *link, reader request) {
    mg_model *model = &link->model;
    float loss = 0.0F;
    const bool trace = (take(&request, 1) & FLAG_TRACE) != 0;
    model->trace = trace ? send_traced : NULL;
    model->trace_context = link;
    const uint64_t start = mg_port_count();
    const mg_status status = mg_train_step(model, mg_input(model), mg_target(model), &loss);
    if (!trace) { /* sending would be counted too */
        link->step_count = mg_port_count() - start;
    }
    model->trace = NULL;
    mg_frame_append(&link->answer, &loss, sizeof loss);
    return (uint8_t)status;
}

/* The first index of the largest element of the last prediction. */
static uint32_t largest(const mg_link *link) {
    const float *f32 = link->output;
    const int8_t *s8 = link->output;
    const bool is_float = mg_the_program.output_type == MG_TYPE_F32;
    const uint32_t count = mg_the_program.output_bytes / (is_float ? 4 : 1);
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (is_float ? f32[i] > f32[best] : s8[i] > s8[best]) {
            best = i;
        }
    }
    return best;
}

static uint8_t on_evaluate(mg_link *link, reader request) {
    const uint32_t flags = take(&request, 1), label = take(&request, 4);
    if (label >= mg_the_program.classes) {
        return MG_LINK_RANGE;
    }
    if ((flags & FLAG_START) != 0) {
        link->evaluated = 0;
        link->correct = 0;
    }
    const mg_status status = infer(link);
    link->evaluated++;
    link->correct += largest(link) == label;
    put(&link->answer, link->evaluated, 4);
    put(&link->answer, link->correct, 4);
    return (uint8_t)status;
}

/* Where a tensor's bytes are; it may be the last prediction too. */
static const uint8_t *find(const mg_link *link, uint32_t number, uint32_t *bytes) {
    const mg_program *program = &mg_the_program;
    if (number == TENSOR_OUTPUT) {
        *bytes = program->output_bytes;
        return link->output;
    }
    if (number >= program->tensor_count) {
        return NULL;
    }
    const mg_tensor *tensor = &program->tensors[number];
    *bytes = tensor->bytes;
    return mg_at(&link->model, tensor->place);
}

static uint8_t on_read(mg_link *link, reader request) {
    const uint32_t number = take(&request, 2), offset = take(&request, 4);
    uint32_t bytes = 0;
    const uint8_t *content = find(link, number, &bytes);
    if (content == NULL || offset > bytes) {
        return MG_LINK_RANGE;
    }
    put(&link->answer, bytes, 4);
    mg_frame_append(&link->answer, content + offset, least(bytes - offset, room(&link->answer)));
    return MG_LINK_OK;
}

static uint8_t on_write(mg_link *link, reader request) {
    const uint32_t number = take(&request, 2), offset = take(&request, 4);
    if (number >= mg_the_program.tensor_count) {
        return MG_LINK_RANGE;
    }
    const mg_tensor *tensor = &mg_the_program.tensors[number];
    if (!tensor->writable) {
        return MG_LINK_READ_ONLY;
    }
    if (!fits(offset, request.length, tensor->bytes)) {
        return MG_LINK_RANGE;
    }
    uint8_t *place = mg_at(&link->model, tensor->place);
    __builtin_memcpy(place + offset, request.bytes, request.length);
    return MG_LINK_OK;
}

static uint8_t on_reset(mg_link *link, reader request) {
    (void)request;
    mg_restart(&link->model);
    return MG_LINK_OK;
}

static uint8_t on_statistics(mg_link *link, reader request) {
    (void)request;
    mg_frame *answer = &link->answer;
    const mg_stack stack = mg_port_stack();
    mg_frame_append(answer, &link->infer_count, 8);
    mg_frame_append(answer, &link->step_count, 8);
    put(answer, stack.bytes, 4);
    put(answer, stack.used, 4);
    put(answer, link->refused, 4);
    put(answer, link->model.updates, 4);
    return MG_LINK_OK;
}

/* A request's payload is at least `head` bytes long, and just as long unless `more` follow. */
typedef struct {
    uint8_t (*serve)(mg_link *link, reader request);
    uint8_t head;
    bool more, silent; /* silent: no answer when all went well */
} handler;

static const handler handlers[] = {
    [MG_PUT] = {on_put, 5, true, true},       [MG_INFER] = {on_infer, 0, false, false},
    [MG_TRAIN] = {on_train, 1, false, false}, [MG_EVALUATE] = {on_evaluate, 5, false, false},
    [MG_READ] = {on_read, 6, false, false},   [MG_WRITE] = {on_write, 6, true, false},
    [MG_RESET] = {on_reset, 0, false, false}, [MG_STATISTICS] = {on_statistics, 0, false, false},
};

static void serve(mg_link *link, uint8_t type, reader request) {
    const handler *h = type < sizeof handlers / sizeof *handlers ? &handlers[type] : NULL;
    mg_frame *answer = &link->answer;
    mg_frame_start(answer, link->next, (uint8_t)(type | MG_ANSWER));
    put(answer, MG_LINK_OK, 1);
    uint8_t status = MG_LINK_TYPE;
    if (h != NULL && h->serve != NULL) {
        const bool right = request.length == h->head || (h->more && request.length > h->head);
        status = right ? h->serve(link, request) : MG_LINK_LENGTH;
    }
    link->next++;
    if (status == MG_LINK_OK && h->silent) {
        answer->length = 0;
        return;
    }
    answer->bytes[MG_FRAME_HEADER] = status;
    mg_frame_send(answer);
}

/* Answers at any sequence number: so a session starts, and so it finds its place again. */
static void serve_hello(mg_link *link, reader request) {
    const mg_program *p = &mg_the_program;
    const mg_counter counter = mg_port_counter();
    const uint32_t token = take(&request, 4);
    const uint32_t words[] = {p->fingerprint,    p->arena_bytes,  p->state_bytes, p->input_bytes,
                              p->output_bytes,   p->target_bytes, p->classes,     p->batch,
                              p->tensor_count,   p->input_type,   p->output_type, counter.unit,
                              counter.resolution};
    mg_frame *answer = &link->decoder.frame; /* the request was read; the last answer stays */
    mg_frame_start(answer, link->next, MG_HELLO | MG_ANSWER);
    put(answer, MG_LINK_OK, 1);
    put(answer, token, 4);
    put(answer, MG_LINK_VERSION, 2);
    put(answer, MG_RUNTIME_VERSION, 2);
    put(answer, MG_LINK_PAYLOAD, 2);
    mg_frame_append(answer, words, sizeof words);
    mg_frame_send(answer);
}

static void refuse(mg_link *link, mg_link_status reason) {
    mg_frame *frame = &link->decoder.frame;
    link->refused++;
    mg_frame_start(frame, link->next, MG_REFUSED);
    put(frame, reason, 1);
    mg_frame_send(frame);
}

static void serve_frame(mg_link *link, const mg_frame *frame) {
    reader r = {frame->bytes, frame->length - 4};
    const uint16_t sequence = (uint16_t)take(&r, 2);
    const uint8_t type = (uint8_t)take(&r, 1);
    if (type == MG_HELLO && r.length == 4) {
        serve_hello(link, r);
    } else if (sequence == link->next) {
        serve(link, type, r);
    } else if (sequence == (uint16_t)(link->next - 1)) {
        if (link->answer.length > 0) { /* it was lost: the work is not done again */
            mg_frame_send(&link->answer);
        }
    } else {
        refuse(link, MG_LINK_SEQUENCE);
    }
}

mg_status mg_link_init(mg_link *link, const mg_block *blocks, size_t count, void *output) {
    *link = (mg_link){.output = output};
    return mg_init_blocks(&link->model, blocks, count);
}

void mg_link_receive(mg_link *link, uint8_t byte) {
    mg_frame *frame = &link->decoder.frame;
    const mg_decoded state = mg_decode(&link->decoder, byte);
    if (state == MG_MORE) {
        return;
    }
    if (state == MG_NOT_COBS || frame->length < MG_FRAME_HEADER + 4) {
        refuse(link, MG_LINK_BROKEN);
    } else if (!mg_frame_is_sound(frame)) {
        refuse(link, MG_LINK_CHECKSUM);
    } else {
        serve_frame(link, frame);
    }
    frame->length = 0;
}
