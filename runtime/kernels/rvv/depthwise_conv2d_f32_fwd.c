#include "rvv_f32.h"

#include "depthwise_conv2d_fwd_rvv.h"
