// Asks the server of the settings whether it would speak.
#pragma once

#include "CoreMinimal.h"
#include "Templates/UniquePtr.h"

class FFaceStreamCall;

class FACESTREAM_API FFaceStreamProbe
{
public:
	FFaceStreamProbe();
	~FFaceStreamProbe();

	/** Whether there is an answer, one sentence; to be asked now and then, it never waits. */
	bool Poll(FString& OutAnswer);

private:
	TUniquePtr<FFaceStreamCall> Call;
	double StartedAt;
};
