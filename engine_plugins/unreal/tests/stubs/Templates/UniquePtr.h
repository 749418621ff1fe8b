#pragma once

#include "Stub/Types.h"

template <typename T, typename Deleter = std::default_delete<T>>
class TUniquePtr
{
public:
	TUniquePtr() = default;
	explicit TUniquePtr(T* InPointer) : Pointer(InPointer) {}
	T* operator->() const { check(Pointer != nullptr); return Pointer.get(); }
	T& operator*() const { check(Pointer != nullptr); return *Pointer; }
	T* Get() const { return Pointer.get(); }
	bool IsValid() const { return Pointer != nullptr; }
	void Reset(T* New = nullptr) { Pointer.reset(New); }

private:
	std::unique_ptr<T, Deleter> Pointer;
};

template <typename T, typename... Types>
TUniquePtr<T> MakeUnique(Types&&... Arguments)
{
	return TUniquePtr<T>(new T(std::forward<Types>(Arguments)...));
}
