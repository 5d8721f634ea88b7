/* A plugin of QEMU that counts the instructions between the entries of some functions.
 *
 * Arguments: out=FILE, then at=ADDRESS for every function. Each time that one is entered, a line
 * with the address of the one entered before and the instructions since then is written.
 * The declarations are those of QEMU's plugin interface, version 1. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct qemu_plugin_tb qemu_plugin_tb;
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*)(uint64_t, qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(qemu_plugin_tb *, void (*)(unsigned, void *), int,
                                          void *);
size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const qemu_plugin_tb *);

#define EXPORT __attribute__((visibility("default")))
enum { MOST = 1024 };

EXPORT int qemu_plugin_version = 1;

static FILE *out;
static uint64_t entries[MOST];
static int entry_count;
static uint64_t entered;
static uint64_t instructions;

static void enter(unsigned cpu, void *address) {
    (void)cpu;
    if (entered != 0) {
        fprintf(out, "%" PRIx64 " %" PRIu64 "\n", entered, instructions);
        fflush(out);
    }
    entered = (uint64_t)(uintptr_t)address;
    instructions = 0;
}

static void run(unsigned cpu, void *count) {
    (void)cpu;
    instructions += (uint64_t)(uintptr_t)count;
}

static void translate(uint64_t id, qemu_plugin_tb *block) {
    (void)id;
    uint64_t address = qemu_plugin_tb_vaddr(block);
    for (int i = 0; i < entry_count; i++) {
        if (entries[i] == address) {
            qemu_plugin_register_vcpu_tb_exec_cb(block, enter, 0, (void *)(uintptr_t)address);
        }
    }
    void *count = (void *)(uintptr_t)qemu_plugin_tb_n_insns(block);
    qemu_plugin_register_vcpu_tb_exec_cb(block, run, 0, count);
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(argv[i] + 4, "w");
        } else if (strncmp(argv[i], "at=", 3) == 0 && entry_count < MOST) {
            entries[entry_count++] = strtoull(argv[i] + 3, NULL, 16);
        }
    }
    if (out == NULL) {
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
