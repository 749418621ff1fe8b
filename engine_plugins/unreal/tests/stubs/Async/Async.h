#pragma once

#include "Stub/Types.h"

namespace ENamedThreads
{
enum Type
{
	GameThread,
	AnyBackgroundThreadNormalTask
};
}
template <typename FunctionType>
void AsyncTask(ENamedThreads::Type, FunctionType Function)
{
	std::thread(std::move(Function)).join();
}
