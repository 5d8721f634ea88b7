/* Fully connected layer, float, forward. */
#include "mg_kernels.h"

#include "real_f32.h"

#include "fully_connected_fwd.h"
