#include "rvv_f16.h"

#include "depthwise_conv2d_bwd_weight_rvv.h"
