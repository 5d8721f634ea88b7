#include "rvv_f32.h"

#include "layer_real.h"

#include "conv2d_fwd_rvv.h"
