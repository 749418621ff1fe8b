#pragma once

#include "Stub/Types.h"
