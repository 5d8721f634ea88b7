#include "real_f16.h"

#include "channel_sum.h"
