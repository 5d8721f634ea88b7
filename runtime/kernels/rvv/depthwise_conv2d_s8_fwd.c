#include "layer_s8.h"

#include "depthwise_conv2d_fwd_rvv.h"
