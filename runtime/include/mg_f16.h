/* Half precision (IEEE binary16): a type to store, which cores that have its arithmetic multiply
 * as it is. Elsewhere the compiler's run-time library converts. MG_HALF: the compiler has the type;
 * without it there are no kernels of half precision. */
#ifndef MG_F16_H
#define MG_F16_H

#ifdef __FLT16_MANT_DIG__
#define MG_HALF
typedef _Float16 mg_f16;
#endif

#endif
