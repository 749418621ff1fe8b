#pragma once

#include "Stub/Objects.h"

/** Forgets objects that are gone. */
bool StubIsAlive(const UObject* Object);

template <typename T>
class TWeakObjectPtr
{
public:
	TWeakObjectPtr() = default;
	TWeakObjectPtr(T* InObject) : Object(InObject) {}
	T* Get() const { return IsValid() ? Object : nullptr; }
	bool IsValid() const { return Object != nullptr && StubIsAlive(Object); }
	T* operator->() const { return Get(); }
	T& operator*() const { return *Get(); }

private:
	T* Object = nullptr;
};
