#include "layer_s8.h"

#include "conv2d_fwd_rvv.h"
