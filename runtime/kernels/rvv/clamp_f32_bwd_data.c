#include "rvv_f32.h"

#include "clamp_bwd_data_rvv.h"
