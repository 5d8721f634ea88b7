#include "arithmetic.h"
#include "mg_cores.h"

#include "real_f32.h"

#include "hard_swish.h"

#include "real_f16.h"

#ifdef MG_HALF
#include "hard_swish.h"
#endif
