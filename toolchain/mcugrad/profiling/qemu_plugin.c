/* A plugin of QEMU that counts how often each block of instructions runs between marks.
 *
 * It is compiled for the computer that runs QEMU. Arguments: out=FILE, then at=FIRST-LAST for
 * every range of addresses, in hexadecimal, the last one included, and core=NUMBER of the core that
 * is counted, else the first. Entering a block that starts in a range is a mark; then what ran
 * since the mark before is written:
 *
 *     mark ADDRESS
 *     ADDRESS INSTRUCTIONS RUNS TAKEN     for every block, TAKEN of its runs left it by a jump
 *
 * The declarations are those of QEMU's plugin interface that no version of it has changed. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct qemu_plugin_tb qemu_plugin_tb;
typedef struct qemu_plugin_insn qemu_plugin_insn;
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*)(uint64_t, qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(qemu_plugin_tb *, void (*)(unsigned, void *), int,
                                          void *);
size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const qemu_plugin_tb *);
qemu_plugin_insn *qemu_plugin_tb_get_insn(const qemu_plugin_tb *, size_t);
size_t qemu_plugin_insn_size(const qemu_plugin_insn *);
uint64_t qemu_plugin_insn_vaddr(const qemu_plugin_insn *);

#define EXPORT __attribute__((visibility("default")))
enum { MOST_RANGES = 1024 };

EXPORT int qemu_plugin_version = PLUGIN_VERSION;

typedef struct block {
    uint64_t start, end;
    size_t instructions;
    uint64_t runs, taken; /* since the last mark */
    bool is_mark;
    struct block *next;     /* of all */
    struct block *next_ran; /* of those that ran since the last mark */
} block;

static FILE *out;
static struct {
    uint64_t first, last;
} ranges[MOST_RANGES];
static int range_count;
static unsigned core;
static uint64_t mark;
static bool marked;
static block *all, *ran, *latest;

static void write_counts(void) {
    fprintf(out, "mark %" PRIx64 "\n", mark);
    for (block *b = ran; b != NULL; b = b->next_ran) {
        fprintf(out, "%" PRIx64 " %zu %" PRIu64 " %" PRIu64 "\n", b->start, b->instructions,
                b->runs, b->taken);
    }
    fflush(out);
}

static void run(unsigned cpu, void *argument) {
    block *const entered = argument;
    if (cpu != core) {
        return;
    }
    if (latest != NULL && latest->end != entered->start) {
        latest->taken++;
    }
    latest = entered;
    if (entered->is_mark) {
        if (marked) {
            write_counts();
        }
        for (block *b = ran; b != NULL; b = b->next_ran) {
            b->runs = b->taken = 0;
        }
        ran = NULL;
        marked = true;
        mark = entered->start;
    }
    if (entered->runs++ == 0) {
        entered->next_ran = ran;
        ran = entered;
    }
}

static block *known(uint64_t start, size_t instructions) {
    for (block *b = all; b != NULL; b = b->next) {
        if (b->start == start && b->instructions == instructions) {
            return b;
        }
    }
    block *const made = calloc(1, sizeof *made);
    if (made == NULL) {
        abort();
    }
    made->next = all;
    all = made;
    return made;
}

static void translate(uint64_t id, qemu_plugin_tb *translated) {
    (void)id;
    const size_t count = qemu_plugin_tb_n_insns(translated);
    const qemu_plugin_insn *const last = qemu_plugin_tb_get_insn(translated, count - 1);
    block *const b = known(qemu_plugin_tb_vaddr(translated), count);
    b->start = qemu_plugin_tb_vaddr(translated);
    b->end = qemu_plugin_insn_vaddr(last) + qemu_plugin_insn_size(last);
    b->instructions = count;
    for (int i = 0; i < range_count; i++) {
        b->is_mark |= ranges[i].first <= b->start && b->start <= ranges[i].last;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(translated, run, 0, b);
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(argv[i] + 4, "w");
        } else if (strncmp(argv[i], "core=", 5) == 0) {
            core = (unsigned)strtoul(argv[i] + 5, NULL, 10);
        } else if (strncmp(argv[i], "at=", 3) == 0 && range_count < MOST_RANGES) {
            char *rest;
            ranges[range_count].first = strtoull(argv[i] + 3, &rest, 16);
            ranges[range_count++].last = strtoull(rest + 1, NULL, 16);
        }
    }
    if (out == NULL) {
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
