#pragma once

#include "Stub/Text.h"

struct FPaths
{
	template <typename... Types>
	static FString Combine(const Types&... Parts);
};
