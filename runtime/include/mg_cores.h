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

/* The bits that any core has; all cores join. */
uint32_t mg_joined_bits(uint32_t bits);

#else

static inline uint32_t mg_core(void) {
    return 0;
}

static inline void mg_start_cores(void) {}

static inline void mg_fork(mg_work work, struct mg_model *model, void *data) {
    work(model, data);
}

static inline void mg_join(void) {}

static inline uint32_t mg_joined_bits(uint32_t bits) {
    return bits;
}

#endif

/* From `first` on, up to `end` and without it. */
typedef struct {
    int32_t first, end;
} mg_part;

static inline uint32_t mg_grains(uint32_t n, uint32_t grain) {
    return (n + grain - 1) / grain;
}

/* What one of `cores` takes of n, in multiples of `grain` save at the end. */
static inline mg_part mg_part_of(int32_t n, uint32_t grain, uint32_t core, uint32_t cores) {
    const uint32_t grains = mg_grains((uint32_t)n, grain);
    const int32_t first = (int32_t)(grains * core / cores * grain);
    const int32_t end = (int32_t)(grains * (core + 1) / cores * grain);
    return (mg_part){first < n ? first : n, end < n ? end : n};
}

/* The share of the core that asks. */
static inline mg_part mg_share(int32_t n, uint32_t grain) {
    return MG_CORES == 1 ? (mg_part){0, n} : mg_part_of(n, grain, mg_core(), MG_CORES);
}

/* Rows by columns are shared out along both: so many cores share the columns, and so many such
 * groups of cores the rows. 0: nothing is shared, and the core takes all. */
typedef struct {
    uint32_t across;
} mg_grid;

/* For so many grains: the largest share is as small as can be. Columns come first, as rows at the
 * edge of an image have less to do than others. */
static inline mg_grid mg_grid_of(uint32_t rows, uint32_t columns) {
    mg_grid grid = {1};
    uint32_t least = UINT32_MAX;
    for (uint32_t across = MG_CORES; across > 0; --across) {
        const uint32_t down = MG_CORES / across;
        const uint32_t largest = mg_grains(rows, down) * mg_grains(columns, across);
        if (down * across == MG_CORES && largest < least) {
            least = largest;
            grid.across = across;
        }
    }
    return grid;
}

static inline mg_part mg_share_rows(mg_grid grid, int32_t n, uint32_t grain) {
    if (MG_CORES == 1 || grid.across == 0) {
        return (mg_part){0, n};
    }
    return mg_part_of(n, grain, mg_core() / grid.across, MG_CORES / grid.across);
}

static inline mg_part mg_share_columns(mg_grid grid, int32_t n, uint32_t grain) {
    if (MG_CORES == 1 || grid.across == 0) {
        return (mg_part){0, n};
    }
    return mg_part_of(n, grain, mg_core() % grid.across, grid.across);
}

#endif
