#include "real_f32.h"

#include "channel_sum.h"
