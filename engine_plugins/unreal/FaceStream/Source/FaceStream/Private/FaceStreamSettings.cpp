#include "FaceStreamSettings.h"

FName UFaceStreamSettings::GetCategoryName() const
{
	return FName(TEXT("Plugins"));
}

void UFaceStreamSettings::SetServer(const FString& InServer, const FString& InToken, bool bInTls)
{
	UFaceStreamSettings* Settings = GetMutableDefault<UFaceStreamSettings>();
	Settings->Server = InServer;
	Settings->Token = InToken;
	Settings->bTls = bInTls;
}
