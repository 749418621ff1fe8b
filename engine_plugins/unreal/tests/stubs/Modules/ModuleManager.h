#pragma once

#include "Stub/Objects.h"

class IModuleInterface
{
public:
	virtual ~IModuleInterface() = default;
	virtual void StartupModule() {}
	virtual void ShutdownModule() {}
};
IModuleInterface* StubModule(const char* Name);
struct FStubModule
{
	FStubModule(const char* Name, IModuleInterface* Module);
};
struct FModuleManager
{
	template <typename T>
	static T& LoadModuleChecked(const FName& Name)
	{
		IModuleInterface* Module = StubModule(StubNarrow(*Name.ToString()).c_str());
		check(Module != nullptr);
		return *static_cast<T*>(Module);
	}
	template <typename T>
	static T& LoadModuleChecked(const TCHAR* Name) { return LoadModuleChecked<T>(FName(Name)); }
	template <typename T>
	static T* GetModulePtr(const TCHAR* Name)
	{
		return static_cast<T*>(StubModule(StubNarrow(Name).c_str()));
	}
};
#define IMPLEMENT_MODULE(Class, Name) static FStubModule StubModule##Name(#Name, new Class());
