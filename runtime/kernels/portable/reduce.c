#include "mg_cores.h"
#include "mg_kernels.h"

#include "real_f32.h"

#include "reduce.h"

#include "real_f16.h"

#ifdef MG_HALF
#include "reduce.h"
#endif
