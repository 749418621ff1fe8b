#pragma once

#include "Stub/Objects.h"

class USoundWave : public UObject
{
	STUB_CLASS(USoundWave, UObject)

	std::vector<int16> StubSamples;
	int32 StubRate = 0;
	int32 StubChannels = 0;
};
