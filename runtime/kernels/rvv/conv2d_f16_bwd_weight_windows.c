#include "rvv_f16.h"

#include "conv2d_bwd_weight_windows_rvv.h"
