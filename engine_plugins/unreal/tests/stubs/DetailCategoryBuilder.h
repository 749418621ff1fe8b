#pragma once

#include "Stub/Text.h"

class FDetailWidgetRow;

class IDetailCategoryBuilder
{
public:
	virtual ~IDetailCategoryBuilder() = default;
	virtual FDetailWidgetRow& AddCustomRow(const FText& FilterString, bool bForAdvanced = false) = 0;
};
