// Classes, their macros, logging and delegates. GENERATED_BODY is filled in by tests/plugins/unreal/header_tool.py.
#pragma once

#include "Stub/Containers.h"
#include "Templates/UniquePtr.h"

#define UCLASS(...)
#define USTRUCT(...)
#define UENUM(...)
#define UPROPERTY(...)
#define UFUNCTION(...)
#define BODY_MACRO_COMBINE_INNER(A, B, C, D) A##B##C##D
#define BODY_MACRO_COMBINE(A, B, C, D) BODY_MACRO_COMBINE_INNER(A, B, C, D)
#define GENERATED_BODY(...) BODY_MACRO_COMBINE(CURRENT_FILE_ID, _, __LINE__, _GENERATED_BODY)

class UClass;
class UScriptStruct;

class UObject
{
public:
	UObject();
	virtual ~UObject();
	UObject(const UObject&) = delete;
	static UClass* StaticClass();
	virtual UClass* GetClass() const { return StaticClass(); }
	FName GetFName() const { return StubName; }
	FString GetName() const { return StubName.ToString(); }

	FName StubName; // the driver's to set
};

class UClass : public UObject
{
public:
	UClass(const TCHAR* InName, UClass* InSuper) : Super(InSuper) { StubName = FName(InName); }
	bool IsChildOf(const UClass* Other) const { return this == Other || (Super != nullptr && Super->IsChildOf(Other)); }

private:
	UClass* Super;
};

#define STUB_CLASS(Class, Parent)                                   \
public:                                                             \
	using Super = Parent;                                           \
	using ThisClass = Class;                                        \
	static UClass* StaticClass()                                    \
	{                                                               \
		static UClass Made(TEXT(#Class), Parent::StaticClass());    \
		return &Made;                                               \
	}                                                               \
	virtual UClass* GetClass() const override { return StaticClass(); }

template <typename T>
class TSubclassOf
{
public:
	TSubclassOf(UClass* InClass) : Class(InClass) { check(InClass == nullptr || InClass->IsChildOf(T::StaticClass())); }
	UClass* Get() const { return Class; }

private:
	UClass* Class;
};

template <typename T>
T* Cast(UObject* Object)
{
	return Object != nullptr && Object->GetClass()->IsChildOf(T::StaticClass()) ? static_cast<T*>(Object) : nullptr;
}

template <typename T>
T* GetMutableDefault()
{
	static T Default;
	return &Default;
}
template <typename T>
const T* GetDefault()
{
	return GetMutableDefault<T>();
}

template <typename T>
using TObjectPtr = T*;

struct FObjectInitializer
{
};

struct UEnum
{
	template <typename E>
	static FString GetValueAsString(E Value)
	{
		return FString::Printf(TEXT("%d"), static_cast<int32>(Value));
	}
};

// logging: the driver reads what was said
enum class EStubVerbosity
{
	Fatal,
	Error,
	Warning,
	Display,
	Log
};
struct FStubLogCategory
{
	const char* Name;
};
void StubLog(const FStubLogCategory& Category, EStubVerbosity Verbosity, const std::string& Message);
#define DECLARE_LOG_CATEGORY_EXTERN(Category, Default, All) extern struct FLogCategory##Category : public FStubLogCategory { FLogCategory##Category() : FStubLogCategory{#Category} {} } Category
#define DEFINE_LOG_CATEGORY(Category) FLogCategory##Category Category
template <typename... Types>
void StubLogFormatted(const FStubLogCategory& Category, EStubVerbosity Verbosity, const TCHAR* Format, Types... Arguments)
{
	StubLog(Category, Verbosity, StubFormat(Format, {FStubArgument(Arguments)...}));
}
#define UE_LOG(Category, Verbosity, ...) StubLogFormatted(Category, EStubVerbosity::Verbosity, __VA_ARGS__)

// delegates that Blueprints bind; the driver does by AddStub
template <typename... Types>
class TStubDelegate
{
public:
	void Broadcast(Types... Arguments) const
	{
		for (const auto& Bound : All)
		{
			Bound(Arguments...);
		}
	}
	void AddStub(std::function<void(Types...)> Bound) { All.push_back(std::move(Bound)); }
	template <typename OwnerType>
	void AddDynamic(OwnerType* Owner, void (OwnerType::*Method)(Types...))
	{
		AddStub([=](Types... Arguments) { (Owner->*Method)(Arguments...); });
	}

private:
	std::vector<std::function<void(Types...)>> All;
};
#define DECLARE_DYNAMIC_MULTICAST_DELEGATE(Name) class Name : public TStubDelegate<> {}
#define DECLARE_DYNAMIC_MULTICAST_DELEGATE_TwoParams(Name, Type1, Name1, Type2, Name2) class Name : public TStubDelegate<Type1, Type2> {}
