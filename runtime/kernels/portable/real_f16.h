/* Floats are stored in half precision, and summed in single. */
#include "mg_kernels_f16.h"

#undef REAL
#undef REAL_IS_SINGLE
#undef KERNEL
#undef MEMORY_BLOCK
#define REAL             mg_f16
#define REAL_IS_SINGLE   0
#define KERNEL(op, pass) mg_##op##_f16_##pass

/* Sums go to memory when they are complete: on the way they would be rounded to half. */
#define MEMORY_BLOCK (1 << 20)
