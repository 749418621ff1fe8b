#pragma once

#include "Misc/Guid.h"
#include "Misc/QualifiedFrameTime.h"
#include "Stub/Objects.h"

class UScriptStruct
{
public:
	std::shared_ptr<void> (*Make)();
};
struct FLiveLinkSubjectName
{
	FLiveLinkSubjectName(const FName& InName) : Name(InName) {}
	FName Name;
};
struct FLiveLinkSubjectKey
{
	FLiveLinkSubjectKey(FGuid InSource, FName InName) : Source(InSource), SubjectName(InName) {}
	FGuid Source;
	FLiveLinkSubjectName SubjectName;
};
struct FLiveLinkWorldTime
{
	FLiveLinkWorldTime() = default;
	explicit FLiveLinkWorldTime(const double InTime) : Time(InTime) {}
	double GetSourceTime() const { return Time; }

private:
	double Time = 0.0;
};
struct FLiveLinkMetaData
{
	FQualifiedFrameTime SceneTime;
};
struct FLiveLinkBaseStaticData
{
	static UScriptStruct* StaticStruct()
	{
		static UScriptStruct Made{[]() -> std::shared_ptr<void> { return std::make_shared<FLiveLinkBaseStaticData>(); }};
		return &Made;
	}
	TArray<FName> PropertyNames;
};
struct FLiveLinkBaseFrameData
{
	static UScriptStruct* StaticStruct()
	{
		static UScriptStruct Made{[]() -> std::shared_ptr<void> { return std::make_shared<FLiveLinkBaseFrameData>(); }};
		return &Made;
	}
	FLiveLinkWorldTime WorldTime;
	FLiveLinkMetaData MetaData;
	TArray<float> PropertyValues;
};
template <typename Base>
class TStubLiveLinkStruct
{
public:
	explicit TStubLiveLinkStruct(const UScriptStruct* InStruct) : Struct(InStruct), Data(InStruct->Make()) {}
	TStubLiveLinkStruct(TStubLiveLinkStruct&&) = default;
	TStubLiveLinkStruct(const TStubLiveLinkStruct&) = delete;
	template <typename T>
	T* Cast()
	{
		check(Struct == T::StaticStruct());
		return static_cast<T*>(Data.get());
	}

private:
	const UScriptStruct* Struct;
	std::shared_ptr<void> Data;
};
class FLiveLinkStaticDataStruct : public TStubLiveLinkStruct<FLiveLinkBaseStaticData>
{
	using TStubLiveLinkStruct::TStubLiveLinkStruct;
};
class FLiveLinkFrameDataStruct : public TStubLiveLinkStruct<FLiveLinkBaseFrameData>
{
	using TStubLiveLinkStruct::TStubLiveLinkStruct;
};
