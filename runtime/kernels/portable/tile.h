/* What register tiles of all types need of the compiler. */
#ifndef MG_TILE_H
#define MG_TILE_H

#include <stdint.h>

/* Steps of an inner loop that share its counting. */
#define MG_UNROLL 4

/* Positions that a gradient sums in registers before the sum goes to memory: sums of sums lose
 * less to rounding than one long sum. */
#define MG_BLOCK 256

/* Neighbouring channels that a depthwise kernel sweeps together. */
#define MG_LANES 2

/* The first stands before a loop whose bounds are constants of the tile, the second before one
 * that has enough to do in each round: more copies would only cost flash. GCC makes none of them
 * unasked. The third: the floats may be subnormal, which Helium's vectors flush to zero. */
#ifdef __clang__
#define MG_UNROLLED _Pragma("clang loop unroll(full)")
#define MG_ROLLED   _Pragma("clang loop unroll(disable)")
#define MG_SCALAR   _Pragma("clang loop vectorize(disable)")
#else
#define MG_UNROLLED _Pragma("GCC unroll 16")
#define MG_ROLLED
#define MG_SCALAR
#endif

/* Tile sizes are constants at each call. Without inlining the sums would live in memory. */
#define MG_INLINE static inline __attribute__((always_inline))

/* For what runs a few times a step: a copy at every use would only cost flash. */
#define MG_APART static __attribute__((noinline))

/* Keeps the loads of one step behind those of the step before: schedulers that hoist them all
 * run out of registers and spill. */
#define MG_KEEP_ORDER() __asm__ volatile("")

/* The same for an integer sum, whose terms would be reordered too. */
#define MG_COMPLETE(sum) __asm__ volatile("" : "+r"(sum))

#endif
