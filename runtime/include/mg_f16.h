/* Half precision (IEEE binary16): a type to store, which cores that have its arithmetic multiply
 * as it is. Elsewhere the compiler's run-time library converts. */
#ifndef MG_F16_H
#define MG_F16_H

typedef _Float16 mg_f16;

#endif
