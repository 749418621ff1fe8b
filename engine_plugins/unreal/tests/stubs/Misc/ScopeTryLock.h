#pragma once

#include "HAL/CriticalSection.h"

class FScopeTryLock
{
public:
	explicit FScopeTryLock(FCriticalSection* InSection) : Section(InSection->TryLock() ? InSection : nullptr) {}
	~FScopeTryLock()
	{
		if (Section != nullptr)
		{
			Section->Unlock();
		}
	}
	FScopeTryLock(const FScopeTryLock&) = delete;
	bool IsLocked() const { return Section != nullptr; }

private:
	FCriticalSection* Section;
};
