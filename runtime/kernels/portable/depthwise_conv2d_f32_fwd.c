/* Depthwise convolution, float, forward. */
#include "mg_kernels.h"

#include "real_f32.h"

#include "depthwise_conv2d_fwd.h"
