// What the settings say of the server, as a stream is asked for it.
#pragma once

#include "CoreMinimal.h"
#include "FaceStreamCall.h"

/** Options of the project's settings. False, and a message, where the certificates can not be read. */
bool FaceStreamOptionsOfSettings(FFaceStreamOptions& OutOptions, FString& OutMessage);
