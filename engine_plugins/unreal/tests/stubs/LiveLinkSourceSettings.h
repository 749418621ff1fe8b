#pragma once

#include "Stub/Objects.h"

class ULiveLinkSourceSettings : public UObject
{
	STUB_CLASS(ULiveLinkSourceSettings, UObject)
};
