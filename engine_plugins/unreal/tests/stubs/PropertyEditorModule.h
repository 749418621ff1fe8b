#pragma once

#include "IDetailCustomization.h"
#include "Modules/ModuleManager.h"

struct FOnGetDetailCustomizationInstance
{
	TSharedRef<IDetailCustomization> (*Function)();
	static FOnGetDetailCustomizationInstance CreateStatic(TSharedRef<IDetailCustomization> (*InFunction)()) { return {InFunction}; }
};
class FPropertyEditorModule : public IModuleInterface
{
public:
	virtual void RegisterCustomClassLayout(FName ClassName, FOnGetDetailCustomizationInstance DetailLayoutDelegate) = 0;
	virtual void UnregisterCustomClassLayout(FName ClassName) = 0;
};
