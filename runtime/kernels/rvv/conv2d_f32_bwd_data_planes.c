#include "rvv_f32.h"

#include "conv2d_bwd_data_planes_rvv.h"
