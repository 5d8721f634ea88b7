#include "rvv_f16.h"

#include "add_rvv.h"
