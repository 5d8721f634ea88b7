/* Convolution, half, forward. */
#include "mg_kernels.h"

#include "real_f16.h"

#include "conv2d_fwd.h"
