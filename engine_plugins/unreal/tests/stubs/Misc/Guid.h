#pragma once

#include "Stub/Types.h"

struct FGuid
{
	uint32 A = 0;
	bool operator==(const FGuid& Other) const { return A == Other.A; }
};
