#include "rvv_f16.h"

#include "fully_connected_fwd_rvv.h"
