// `stat FaceStream`, and the console command FaceStream.Figures.
#pragma once

#include "CoreMinimal.h"
#include "Stats/Stats.h"

DECLARE_STATS_GROUP(TEXT("FaceStream"), STATGROUP_FaceStream, STATCAT_Advanced);
DECLARE_CYCLE_STAT_EXTERN(TEXT("Send, receive and show"), STAT_FaceStreamTick, STATGROUP_FaceStream, );
DECLARE_DWORD_COUNTER_STAT_EXTERN(TEXT("Characters that speak"), STAT_FaceStreamSpeaking, STATGROUP_FaceStream, );
DECLARE_DWORD_COUNTER_STAT_EXTERN(TEXT("Characters without frames"), STAT_FaceStreamStarved, STATGROUP_FaceStream, );
DECLARE_DWORD_COUNTER_STAT_EXTERN(TEXT("Frames that wait for their sound"), STAT_FaceStreamWaiting, STATGROUP_FaceStream, );
