#pragma once

#include "Stub/Text.h"

struct FConsoleCommandDelegate
{
	static FConsoleCommandDelegate CreateStatic(void (*Function)()) { return {Function}; }
	void (*Function)();
};
class FAutoConsoleCommand
{
public:
	FAutoConsoleCommand(const TCHAR* Name, const TCHAR* Help, const FConsoleCommandDelegate& Command);
};
