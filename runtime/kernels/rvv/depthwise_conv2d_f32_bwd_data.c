#include "rvv_f32.h"

#include "depthwise_conv2d_bwd_data_rvv.h"
