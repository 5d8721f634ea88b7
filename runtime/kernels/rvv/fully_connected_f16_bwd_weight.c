#include "rvv_f16.h"

#include "fully_connected_bwd_weight_rvv.h"
