#include "rvv_f16.h"

#include "conv2d_bwd_data_planes_rvv.h"
