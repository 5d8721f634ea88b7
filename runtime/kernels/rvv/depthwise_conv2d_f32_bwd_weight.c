#include "rvv_f32.h"

#include "depthwise_conv2d_bwd_weight_rvv.h"
