#pragma once

#include "Stub/Objects.h"

struct FFilePath
{
	FString FilePath;
};
enum ELevelTick
{
	LEVELTICK_All
};
enum ETickingGroup
{
	TG_PrePhysics,
	TG_DuringPhysics
};
namespace EEndPlayReason
{
enum Type
{
	Destroyed
};
}
struct FActorComponentTickFunction
{
	bool bCanEverTick = false;
	ETickingGroup TickGroup = TG_DuringPhysics;
};
