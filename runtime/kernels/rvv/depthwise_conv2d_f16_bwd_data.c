#include "rvv_f16.h"

#include "depthwise_conv2d_bwd_data_rvv.h"
