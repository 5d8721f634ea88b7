#include "rvv_f32.h"

#include "conv2d_bwd_weight_windows_rvv.h"
