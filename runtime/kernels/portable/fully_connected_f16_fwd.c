/* Fully connected layer, half, forward. */
#include "mg_kernels.h"

#include "real_f16.h"

#ifdef MG_HALF
#include "fully_connected_fwd.h"
#endif
