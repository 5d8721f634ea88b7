#include "rvv_f32.h"

#include "fully_connected_fwd_rvv.h"
