#include "mg_kernels.h"

#include "real_f32.h"

#include "softmax.h"

#include "real_f16.h"

#ifdef MG_HALF
#include "softmax.h"
#endif
