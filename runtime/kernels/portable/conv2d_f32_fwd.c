/* Convolution, float, forward. */
#include "mg_kernels.h"

#include "real_f32.h"

#include "conv2d_fwd.h"
