#ifndef MODEL_H
#define MODEL_H

#include "mcugrad.h"

#define MG_ARENA_BYTES 192
typedef float mg_prediction_element;
#define MG_PREDICTION_SIZE 3

#endif
