#pragma once

#include "Stub/Text.h"

class IDetailCategoryBuilder;

class IDetailLayoutBuilder
{
public:
	virtual ~IDetailLayoutBuilder() = default;
	IDetailCategoryBuilder& EditCategory(const TCHAR* Name) { return EditCategory(FName(Name)); }
	virtual IDetailCategoryBuilder& EditCategory(FName CategoryName) = 0;
};
