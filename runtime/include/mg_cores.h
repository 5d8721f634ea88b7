/* Several cores that run the same calls, each its share of every call.
 *
 * The outermost loops of a kernel take the share of the core that runs it, and behind each call the
 * cores wait for each other. A share is contiguous, and no sum is ever shared out: results have the
 * bits that one core gives them. With MG_CORES 1, the default, nothing of this is left.
 */
#ifndef MG_CORES_H
#define MG_CORES_H

#include <stdint.h>

#ifndef MG_CORES
#define MG_CORES 1
#endif

struct mg_model;
typedef void (*mg_work)(struct mg_model *model, void *data);

#if MG_CORES > 1

/* The number of the core that asks. */
static inline uint32_t mg_core(void) {
    uint32_t core;
    __asm__("csrr %0, mhartid" : "=r"(core));
    return core;
}

/* The port provides these. The first core starts the others, which then wait for work; forks: all
 * cores do the work, and are done when it returns. In the work, all of them join. */
void mg_start_cores(void);
void mg_fork(mg_work work, struct mg_model *model, void *data);
void mg_join(void);

#else

static inline uint32_t mg_core(void) {
    return 0;
}

static inline void mg_start_cores(void) {}

static inline void mg_fork(mg_work work, struct mg_model *model, void *data) {
    work(model, data);
}

static inline void mg_join(void) {}

#endif

/* From `first` on, up to `end` and without it. */
typedef struct {
    int32_t first, end;
} mg_part;

/* Of `rows` by `columns` pieces. */
typedef struct {
    mg_part rows, columns;
} mg_area;

static inline mg_part mg_whole(int32_t n) {
    return (mg_part){0, n};
}

static inline mg_area mg_whole_area(int32_t rows, int32_t columns) {
    return (mg_area){mg_whole(rows), mg_whole(columns)};
}

static inline uint32_t mg_grains(int32_t n, uint32_t grain) {
    return ((uint32_t)n + grain - 1) / grain;
}

/* What one of `cores` takes of n, in multiples of `grain` save at the end. */
static inline mg_part mg_part_of(int32_t n, uint32_t grain, uint32_t core, uint32_t cores) {
    const uint32_t grains = mg_grains(n, grain);
    const int32_t first = (int32_t)(grains * core / cores * grain);
    const int32_t end = (int32_t)(grains * (core + 1) / cores * grain);
    return (mg_part){first < n ? first : n, end < n ? end : n};
}

/* The share of the core that asks. */
static inline mg_part mg_share(int32_t n, uint32_t grain) {
    return MG_CORES == 1 ? mg_whole(n) : mg_part_of(n, grain, mg_core(), MG_CORES);
}

/* The same of an area, whose columns come in grains. As many cores share the columns as make the
 * largest share least: rows at the edge of an image often have less to do than others. */
static inline mg_area mg_share_area(int32_t rows, int32_t columns, uint32_t grain) {
    if (MG_CORES == 1) {
        return mg_whole_area(rows, columns);
    }
    const uint32_t grains = mg_grains(columns, grain);
    uint32_t across = 1, least = UINT32_MAX;
    for (uint32_t k = MG_CORES; k > 0; --k) {
        const uint32_t down = MG_CORES / k;
        const uint32_t largest = mg_grains(rows, down) * mg_grains((int32_t)grains, k);
        if (down * k == MG_CORES && largest < least) {
            least = largest;
            across = k;
        }
    }
    return (mg_area){mg_part_of(rows, 1, mg_core() / across, MG_CORES / across),
                     mg_part_of(columns, grain, mg_core() % across, across)};
}

#endif
