#include "rvv_f16.h"

#include "clamp_bwd_data_rvv.h"
