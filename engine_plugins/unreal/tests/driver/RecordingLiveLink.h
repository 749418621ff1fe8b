// A Live Link client that keeps what it is given.
#pragma once

#include "FaceStreamLiveLinkSource.h"
#include "ILiveLinkClient.h"
#include "StubEngine.h"

class FRecordingLiveLink final : public ILiveLinkClient
{
public:
	struct FFrame
	{
		std::string Subject;
		double PushedAt;
		double WorldTime;
		int32 Frame;
		float SubFrame;
		int32 Rate;
		std::vector<float> Values;
	};
	struct FSubject
	{
		std::string Name;
		std::string Role;
		std::vector<std::string> Properties;
	};

	virtual FGuid AddSource(TSharedPtr<ILiveLinkSource> InSource) override
	{
		Source = InSource;
		const FGuid Guid{++Added};
		Source->ReceiveClient(this, Guid);
		check(Source->GetSettingsClass().Get() == UFaceStreamSourceSettings::StaticClass());
		Source->InitializeSettings(&Settings);
		return Guid;
	}
	virtual void RemoveSource(TSharedPtr<ILiveLinkSource>) override
	{
		while (!Source->RequestSourceShutdown())
		{
		}
		Source.Reset();
	}
	virtual void PushSubjectStaticData_AnyThread(const FLiveLinkSubjectKey& Key, TSubclassOf<ULiveLinkRole> Role, FLiveLinkStaticDataStruct&& Data) override
	{
		check(Key.Source.A == Added);
		FSubject Subject{StubNarrow(*Key.SubjectName.Name.ToString()), StubNarrow(*Role.Get()->GetName()), {}};
		for (const FName& Name : Data.Cast<FLiveLinkBaseStaticData>()->PropertyNames)
		{
			Subject.Properties.push_back(StubNarrow(*Name.ToString()));
		}
		Known[Subject.Name] = Subject.Properties.size();
		Subjects.push_back(Subject);
	}
	virtual void PushSubjectFrameData_AnyThread(const FLiveLinkSubjectKey& Key, FLiveLinkFrameDataStruct&& Data) override
	{
		const FLiveLinkBaseFrameData& Frame = *Data.Cast<FLiveLinkBaseFrameData>();
		const std::string Subject = StubNarrow(*Key.SubjectName.Name.ToString());
		// Live Link drops frames of subjects without static data, or of another width
		check(Known.count(Subject) == 1 && Known[Subject] == static_cast<size_t>(Frame.PropertyValues.Num()));
		const FQualifiedFrameTime& Scene = Frame.MetaData.SceneTime;
		Frames.push_back({Subject, StubEngine().Time, Frame.WorldTime.GetSourceTime(), Scene.Time.FrameNumber.Value, Scene.Time.SubFrame, Scene.Rate.Numerator,
			{Frame.PropertyValues.begin(), Frame.PropertyValues.end()}});
	}
	virtual void RemoveSubject_AnyThread(const FLiveLinkSubjectKey& Key) override { Removed.push_back(StubNarrow(*Key.SubjectName.Name.ToString())); }

	TSharedPtr<ILiveLinkSource> Source;
	UFaceStreamSourceSettings Settings;
	std::vector<FSubject> Subjects;
	std::vector<FFrame> Frames;
	std::vector<std::string> Removed;

private:
	uint32 Added = 0;
	std::map<std::string, size_t> Known;
};
