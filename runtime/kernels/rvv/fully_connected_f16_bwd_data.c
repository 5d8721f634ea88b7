#include "rvv_f16.h"

#include "fully_connected_bwd_data_rvv.h"
