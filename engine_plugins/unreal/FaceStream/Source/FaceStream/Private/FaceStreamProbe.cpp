#include "FaceStreamProbe.h"

#include "FaceStreamCall.h"
#include "FaceStreamConnection.h"
#include "HAL/PlatformTime.h"

FFaceStreamProbe::FFaceStreamProbe() : StartedAt(FPlatformTime::Seconds())
{
}

FFaceStreamProbe::~FFaceStreamProbe() = default;

bool FFaceStreamProbe::Poll(FString& OutAnswer)
{
	if (!Call.IsValid())
	{
		FFaceStreamOptions Options;
		if (!FaceStreamOptionsOfSettings(Options, OutAnswer))
		{
			return true;
		}
		Call = MakeUnique<FFaceStreamCall>(Options, GFaceStreamWireRate);
	}
	switch (Call->State())
	{
	case FS_STATE_CONNECTING:
	case FS_STATE_RECONNECTING:
		return false;
	case FS_STATE_FAILED:
		OutAnswer = Call->FailureMessage();
		return true;
	default:
		const fs_stream_info Info = Call->Info();
		OutAnswer = FString::Printf(TEXT("%s %s answered within %.0f ms; its faces are %lld ms behind their sound"), UTF8_TO_TCHAR(Info.model),
			UTF8_TO_TCHAR(Info.model_version), 1000.0 * (FPlatformTime::Seconds() - StartedAt),
			static_cast<long long>(1000 * Info.latency_samples / GFaceStreamWireRate));
		return true;
	}
}
