// The settings page's button "Try it".
#pragma once

#include "Containers/Ticker.h"
#include "CoreMinimal.h"
#include "FaceStreamProbe.h"
#include "IDetailCustomization.h"
#include "Input/Reply.h"

class FFaceStreamSettingsDetails final : public IDetailCustomization
{
public:
	static TSharedRef<IDetailCustomization> MakeInstance();
	virtual ~FFaceStreamSettingsDetails() override;
	virtual void CustomizeDetails(IDetailLayoutBuilder& DetailBuilder) override;

private:
	FReply Try();
	/** False once there is an answer. */
	bool Poll();

	TUniquePtr<FFaceStreamProbe> Probe;
	FText Answer;
	FTSTicker::FDelegateHandle Ticker;
};
