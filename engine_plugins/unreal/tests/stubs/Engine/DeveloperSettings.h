#pragma once

#include "Stub/Objects.h"

class UDeveloperSettings : public UObject
{
	STUB_CLASS(UDeveloperSettings, UObject)

	virtual FName GetCategoryName() const { return FName(); }
};
