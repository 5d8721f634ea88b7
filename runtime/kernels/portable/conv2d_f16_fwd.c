/* Convolution, half, forward. */
#include "mg_kernels.h"

#include "real_f16.h"

#ifdef MG_HALF
#include "conv2d_fwd.h"
#endif
