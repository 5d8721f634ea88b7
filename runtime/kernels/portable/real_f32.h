/* Floats are stored in single precision. No guard: bodies that serve both types are included
 * once for each. */
#undef REAL
#undef REAL_IS_SINGLE
#undef KERNEL
#undef MEMORY_BLOCK
#define REAL             float
#define REAL_IS_SINGLE   1
#define KERNEL(op, pass) mg_##op##_f32_##pass

/* Positions summed in registers before the sum goes to memory. */
#define MEMORY_BLOCK MG_BLOCK
