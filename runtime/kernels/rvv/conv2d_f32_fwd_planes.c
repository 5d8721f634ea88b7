#include "rvv_f32.h"

#include "conv2d_fwd_planes_rvv.h"
