#include "rvv_f32.h"

#include "layer_real.h"

#include "depthwise_conv2d_fwd_rvv.h"
