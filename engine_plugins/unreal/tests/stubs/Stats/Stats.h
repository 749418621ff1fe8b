#pragma once

#include "Stub/Types.h"

#define STATCAT_Advanced
#define DECLARE_STATS_GROUP(Description, Group, Category) struct FStubGroup_##Group { static constexpr const TCHAR* Name = Description; }
struct FStubStat
{
	int64 Value = 0;
	int64 Calls = 0;
};
#define DECLARE_CYCLE_STAT_EXTERN(Description, Stat, Group, Api) extern FStubStat Stub##Stat; using Stub##Stat##Group = FStubGroup_##Group
#define DECLARE_DWORD_COUNTER_STAT_EXTERN(Description, Stat, Group, Api) extern FStubStat Stub##Stat; using Stub##Stat##Group = FStubGroup_##Group
#define DEFINE_STAT(Stat) FStubStat Stub##Stat
#define SCOPE_CYCLE_COUNTER(Stat) ++Stub##Stat.Calls
#define INC_DWORD_STAT(Stat) ++Stub##Stat.Value
#define INC_DWORD_STAT_BY(Stat, Amount) Stub##Stat.Value += (Amount)
