#include "FaceStreamConnection.h"

#include "FaceStreamSettings.h"
#include "Misc/FileHelper.h"

bool FaceStreamOptionsOfSettings(FFaceStreamOptions& OutOptions, FString& OutMessage)
{
	const UFaceStreamSettings* Settings = GetDefault<UFaceStreamSettings>();
	OutOptions.Server = Settings->Server;
	OutOptions.Token = Settings->Token;
	OutOptions.bTls = Settings->bTls;
	OutOptions.Model = Settings->Model;
	OutOptions.FramesPerSecond = Settings->FramesPerSecond;
	const FString& Path = Settings->RootCertificates.FilePath;
	if (Settings->bTls && !Path.IsEmpty() && !FFileHelper::LoadFileToString(OutOptions.RootCertificates, *Path))
	{
		OutMessage = FString::Printf(TEXT("%s can not be read; choose the PEM of who signed the server's certificate in Project Settings > FaceStream"), *Path);
		return false;
	}
	return true;
}
