#pragma once

#include "Stub/Text.h"

class IModularFeature
{
public:
	virtual ~IModularFeature() = default;
};
class IModularFeatures
{
public:
	virtual ~IModularFeatures() = default;
	static IModularFeatures& Get();
	virtual bool IsModularFeatureAvailable(const FName Type) = 0;
	virtual IModularFeature* StubFeature(const FName Type) = 0;
	template <typename T>
	T& GetModularFeature(const FName Type)
	{
		return *static_cast<T*>(StubFeature(Type));
	}
};
