#include "FaceStreamSourceFactory.h"

#include "FaceStreamLiveLinkSource.h"

#define LOCTEXT_NAMESPACE "FaceStream"

FText UFaceStreamSourceFactory::GetSourceDisplayName() const
{
	return LOCTEXT("SourceDisplayName", "FaceStream");
}

FText UFaceStreamSourceFactory::GetSourceTooltip() const
{
	return LOCTEXT("SourceTooltip", "Faces of the characters that speak through a facestream server");
}

TSharedPtr<ILiveLinkSource> UFaceStreamSourceFactory::CreateSource(const FString&) const
{
	return FFaceStreamLiveLinkSource::Get();
}

#undef LOCTEXT_NAMESPACE
