#include "FaceStreamStats.h"

#include "FaceStreamComponent.h"
#include "FaceStreamTypes.h"
#include "HAL/IConsoleManager.h"
#include "UObject/UObjectIterator.h"

DEFINE_STAT(STAT_FaceStreamTick);
DEFINE_STAT(STAT_FaceStreamSpeaking);
DEFINE_STAT(STAT_FaceStreamStarved);
DEFINE_STAT(STAT_FaceStreamWaiting);

namespace
{
void PrintFigures()
{
	for (TObjectIterator<UFaceStreamComponent> Component; Component; ++Component)
	{
		UE_LOG(LogFaceStream, Display, TEXT("%s"), *Component->DescribeFigures());
	}
}

FAutoConsoleCommand FiguresCommand(TEXT("FaceStream.Figures"), TEXT("State, model, buffer and losses of every character with a FaceStream component"),
	FConsoleCommandDelegate::CreateStatic(&PrintFigures));
} // namespace
