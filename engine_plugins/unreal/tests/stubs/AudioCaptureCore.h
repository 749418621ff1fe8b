#pragma once

#include "Stub/Text.h"

namespace Audio
{
struct FCaptureDeviceInfo
{
	FString DeviceName;
	int32 InputChannels = 0;
	int32 PreferredSampleRate = 0;
};
struct FAudioCaptureDeviceParams
{
	int32 DeviceIndex = INDEX_NONE;
};
using FOnAudioCaptureFunction = TFunction<void(const void* InAudio, int32 NumFrames, int32 NumChannels, int32 SampleRate, double StreamTime, bool bOverFlow)>;

class FAudioCapture
{
public:
	bool GetCaptureDeviceInfo(FCaptureDeviceInfo& OutInfo, int32 DeviceIndex = INDEX_NONE);
	bool OpenAudioCaptureStream(const FAudioCaptureDeviceParams& InParams, FOnAudioCaptureFunction OnCapture, uint32 NumFramesDesired);
	bool CloseStream();
	bool StartStream();
	bool StopStream();
	bool IsStreamOpen() const;
};
}
