#include "rvv_f32.h"

#include "fully_connected_bwd_weight_rvv.h"
