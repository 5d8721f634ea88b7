#include "mg_cores.h"
#include "mg_kernels.h"

#include "real_f32.h"

#include "leaky_relu.h"

#include "real_f16.h"

#ifdef MG_HALF
#include "leaky_relu.h"
#endif
