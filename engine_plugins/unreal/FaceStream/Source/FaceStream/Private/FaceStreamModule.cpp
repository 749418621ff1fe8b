#include "FaceStreamTypes.h"
#include "HAL/PlatformProcess.h"
#include "Interfaces/IPluginManager.h"
#include "Misc/Paths.h"
#include "Modules/ModuleManager.h"

THIRD_PARTY_INCLUDES_START
#include "facestream/client/c_api.h"
THIRD_PARTY_INCLUDES_END

DEFINE_LOG_CATEGORY(LogFaceStream);

class FFaceStreamModule final : public IModuleInterface
{
public:
	virtual void StartupModule() override
	{
#if PLATFORM_WINDOWS
		// linked with delay, so that it is found beside the game, and in the plugin while that is developed
		const FString Name(TEXT("facestream_client_shared.dll"));
		Library = FPlatformProcess::GetDllHandle(*Name);
		if (Library == nullptr)
		{
			const TSharedPtr<IPlugin> Plugin = IPluginManager::Get().FindPlugin(TEXT("FaceStream"));
			const FString Folder = Plugin.IsValid() ? Plugin->GetBaseDir() : FString();
			Library = FPlatformProcess::GetDllHandle(*FPaths::Combine(Folder, TEXT("Source/ThirdParty/FaceStreamClient/lib/Win64"), Name));
		}
		if (Library == nullptr)
		{
			UE_LOG(LogFaceStream, Error, TEXT("%s was not found; build it and copy it as the plugin's README tells"), *Name);
			return;
		}
#endif
		if (fs_abi_version() != FS_ABI_VERSION)
		{
			UE_LOG(LogFaceStream, Fatal, TEXT("the client library is of interface %d and the plugin of %d; build both from one version"),
				fs_abi_version(), FS_ABI_VERSION);
		}
	}

	virtual void ShutdownModule() override
	{
		if (Library != nullptr)
		{
			FPlatformProcess::FreeDllHandle(Library);
			Library = nullptr;
		}
	}

private:
	void* Library = nullptr;
};

IMPLEMENT_MODULE(FFaceStreamModule, FaceStream)
