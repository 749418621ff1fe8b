#pragma once

#include "Stub/Types.h"

struct FTimespan
{
	double Seconds;
	double GetTotalSeconds() const { return Seconds; }
};
struct FDateTime
{
	static FDateTime Now() { return {}; }
	FTimespan GetTimeOfDay() const { return {43200.0 + FPlatformTime::Seconds()}; }
};
