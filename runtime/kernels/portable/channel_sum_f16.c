#include "real_f16.h"

#ifdef MG_HALF
#include "channel_sum.h"
#endif
