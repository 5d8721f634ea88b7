#include "rvv_f16.h"

#include "conv2d_fwd_planes_rvv.h"
