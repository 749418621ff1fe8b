#include "FaceStreamSettingsDetails.h"

#include "DetailCategoryBuilder.h"
#include "DetailLayoutBuilder.h"
#include "DetailWidgetRow.h"
#include "FaceStreamTypes.h"
#include "Widgets/Input/SButton.h"
#include "Widgets/SBoxPanel.h"
#include "Widgets/Text/STextBlock.h"

#define LOCTEXT_NAMESPACE "FaceStreamEditor"

TSharedRef<IDetailCustomization> FFaceStreamSettingsDetails::MakeInstance()
{
	return MakeShared<FFaceStreamSettingsDetails>();
}

FFaceStreamSettingsDetails::~FFaceStreamSettingsDetails()
{
	FTSTicker::GetCoreTicker().RemoveTicker(Ticker);
}

void FFaceStreamSettingsDetails::CustomizeDetails(IDetailLayoutBuilder& DetailBuilder)
{
	DetailBuilder.EditCategory(TEXT("Server"))
		.AddCustomRow(LOCTEXT("Try", "Try it"))
		.WholeRowContent()
		[
			SNew(SVerticalBox)
			+ SVerticalBox::Slot()
			.AutoHeight()
			[
				SNew(SButton)
				.Text(LOCTEXT("Try", "Try it"))
				.OnClicked(this, &FFaceStreamSettingsDetails::Try)
			]
			+ SVerticalBox::Slot()
			.AutoHeight()
			[
				SNew(STextBlock)
				.AutoWrapText(true)
				.Text_Lambda([this] { return Answer; })
			]
		];
}

FReply FFaceStreamSettingsDetails::Try()
{
	constexpr float PollSeconds = 0.05f;
	Probe = MakeUnique<FFaceStreamProbe>();
	Answer = LOCTEXT("Asking", "Asking the server...");
	FTSTicker::GetCoreTicker().RemoveTicker(Ticker);
	Ticker = FTSTicker::GetCoreTicker().AddTicker(FTickerDelegate::CreateLambda([this](float) { return Poll(); }), PollSeconds);
	return FReply::Handled();
}

bool FFaceStreamSettingsDetails::Poll()
{
	FString Told;
	if (!Probe->Poll(Told))
	{
		return true;
	}
	Answer = FText::FromString(Told);
	UE_LOG(LogFaceStream, Display, TEXT("%s"), *Told);
	Probe.Reset();
	return false;
}

#undef LOCTEXT_NAMESPACE
