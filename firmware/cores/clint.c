/* The cores of a RISC-V cluster. They sleep until the core-local interruptor (CLINT) at
 * MG_CLINT_BASE wakes them. */
#include "../image.h"
#include "mg_cores.h"

/* A core's software interrupt. */
#define WAKE(core) (((volatile uint32_t *)MG_CLINT_BASE)[core])

enum { SOFTWARE_INTERRUPT = 1 << 3 };

static struct {
    mg_work work;
    struct mg_model *model;
    void *data;
} forked;

static uint32_t arrived; /* at the barrier */
static uint32_t passed;  /* how often all cores have passed it */

/* Memory and devices see what stands before this first. */
static inline void fence(void) {
    __asm volatile("fence" ::: "memory");
}

/* Interrupts end a sleep and are not taken: mstatus.MIE stays off. */
static inline void sleep(void) {
    __asm volatile("csrs mie, %0\n\twfi\n\tcsrc mie, %0" ::"r"(SOFTWARE_INTERRUPT) : "memory");
}

static void awake(void) {
    WAKE(mg_core()) = 0;
    fence();
}

static void wake_others(void) {
    fence();
    for (uint32_t core = 0; core < MG_CORES; core++) {
        if (core != mg_core()) {
            WAKE(core) = 1;
        }
    }
}

/* A function of its own, so that what is spent on waiting can be told from work. */
__attribute__((noinline)) void mg_wait(uint32_t before) {
    while (__atomic_load_n(&passed, __ATOMIC_ACQUIRE) == before) {
        sleep();
        awake();
    }
}

void mg_join(void) {
    const uint32_t before = __atomic_load_n(&passed, __ATOMIC_RELAXED);
    if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) < MG_CORES) {
        mg_wait(before);
    } else {
        arrived = 0;
        __atomic_store_n(&passed, before + 1, __ATOMIC_RELEASE);
        wake_others();
    }
}

uint32_t mg_joined_bits(uint32_t bits) {
    static volatile uint32_t seen[MG_CORES];
    seen[mg_core()] = bits;
    mg_join();
    for (uint32_t core = 0; core < MG_CORES; core++) {
        bits |= seen[core];
    }
    mg_join(); /* or a core that goes on could change what another one has still to read */
    return bits;
}

static void do_work(void) {
    mg_join();
    forked.work(forked.model, forked.data);
    mg_join();
}

void mg_fork(mg_work work, struct mg_model *model, void *data) {
    forked.work = work;
    forked.model = model;
    forked.data = data;
    do_work();
}

void mg_start_cores(void) {
    wake_others();
}

_Noreturn void mg_start_other(void) {
    while (WAKE(mg_core()) == 0) {
        sleep();
    }
    awake();
    mg_paint_stack();
    for (;;) {
        do_work();
    }
}
