#pragma once

#include "Stub/Objects.h"

class USoundSubmix : public UObject
{
	STUB_CLASS(USoundSubmix, UObject)
};
