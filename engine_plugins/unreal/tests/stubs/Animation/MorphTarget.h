#pragma once

#include "Stub/Objects.h"

class UMorphTarget : public UObject
{
	STUB_CLASS(UMorphTarget, UObject)
};
