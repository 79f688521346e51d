#include "cage.h"
