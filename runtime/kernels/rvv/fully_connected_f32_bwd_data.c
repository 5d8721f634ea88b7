#include "rvv_f32.h"

#include "fully_connected_bwd_data_rvv.h"
