#include "FaceStreamSettings.h"
#include "FaceStreamSettingsDetails.h"
#include "Modules/ModuleManager.h"
#include "PropertyEditorModule.h"

class FFaceStreamEditorModule final : public IModuleInterface
{
public:
	virtual void StartupModule() override
	{
		// the module is there for the graph node in uncooked games, too, which have no details
		if (GIsEditor)
		{
			Page = UFaceStreamSettings::StaticClass()->GetFName();
			FPropertyEditorModule& Properties = FModuleManager::LoadModuleChecked<FPropertyEditorModule>(TEXT("PropertyEditor"));
			Properties.RegisterCustomClassLayout(Page, FOnGetDetailCustomizationInstance::CreateStatic(&FFaceStreamSettingsDetails::MakeInstance));
		}
	}

	virtual void ShutdownModule() override
	{
		FPropertyEditorModule* Properties = FModuleManager::GetModulePtr<FPropertyEditorModule>(TEXT("PropertyEditor"));
		if (Properties != nullptr && !Page.IsNone())
		{
			Properties->UnregisterCustomClassLayout(Page);
		}
	}

private:
	FName Page;
};

IMPLEMENT_MODULE(FFaceStreamEditorModule, FaceStreamEditor)
