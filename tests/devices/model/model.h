#ifndef MODEL_H
#define MODEL_H

#include "mcugrad.h"

#define MG_ARENA_BYTES  192
#define MG_OUTPUT_BYTES 12

#endif
