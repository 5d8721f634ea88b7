#include "rvv_f32.h"

#include "add_rvv.h"
