#pragma once

#include "Stub/Types.h"

struct FTickerDelegate
{
	std::function<bool(float)> Function;
	template <typename F>
	static FTickerDelegate CreateLambda(F&& InFunction)
	{
		return {std::forward<F>(InFunction)};
	}
};
class FTSTicker
{
public:
	struct FDelegateHandle
	{
		int32 Id = 0;
	};
	static FTSTicker& GetCoreTicker();
	FDelegateHandle AddTicker(const FTickerDelegate& InDelegate, float InDelay = 0.0f);
	static void RemoveTicker(FDelegateHandle Handle);
	void StubTick();
};
