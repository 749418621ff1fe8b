#pragma once

#include "Stub/Text.h"

struct FFileHelper
{
	static bool LoadFileToString(FString& Result, const TCHAR* Filename);
};
