#pragma once

#include "Stub/Objects.h"

class ILiveLinkSource;

class ULiveLinkSourceFactory : public UObject
{
	STUB_CLASS(ULiveLinkSourceFactory, UObject)

	enum class EMenuType : uint8
	{
		SubPanel,
		MenuEntry,
		Disabled
	};
	virtual FText GetSourceDisplayName() const { return FText(); }
	virtual FText GetSourceTooltip() const { return FText(); }
	virtual EMenuType GetMenuType() const { return EMenuType::SubPanel; }
	virtual TSharedPtr<ILiveLinkSource> CreateSource(const FString& ConnectionString) const = 0;
};
