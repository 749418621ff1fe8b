#pragma once

#include "Stub/Objects.h"

const std::vector<UObject*>& StubObjects();

template <typename T>
class TObjectIterator
{
public:
	TObjectIterator() { Skip(); }
	explicit operator bool() const { return Place < StubObjects().size(); }
	void operator++() { ++Place; Skip(); }
	T* operator*() const { return static_cast<T*>(StubObjects()[Place]); }
	T* operator->() const { return **this; }

private:
	void Skip()
	{
		while (*this && !StubObjects()[Place]->GetClass()->IsChildOf(T::StaticClass()))
		{
			++Place;
		}
	}
	size_t Place = 0;
};
