#pragma once

#include "Stub/Objects.h"

class ULiveLinkRole : public UObject
{
	STUB_CLASS(ULiveLinkRole, UObject)
};
class ULiveLinkBasicRole : public ULiveLinkRole
{
	STUB_CLASS(ULiveLinkBasicRole, ULiveLinkRole)
};
