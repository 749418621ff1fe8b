#pragma once

#include "Misc/QualifiedFrameTime.h"
#include "Stub/Containers.h"

struct FApp
{
	static TOptional<FQualifiedFrameTime> GetCurrentFrameTime();
};
