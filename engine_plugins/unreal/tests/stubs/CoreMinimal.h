#pragma once

#include "Stub/Objects.h"
