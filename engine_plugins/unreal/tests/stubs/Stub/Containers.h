// TArray, TMap, TOptional, pointers.
#pragma once

#include "Stub/Text.h"

template <typename T>
class TArray
{
public:
	int32 Num() const { return static_cast<int32>(Values.size()); }
	T* GetData() { return Values.data(); }
	const T* GetData() const { return Values.data(); }
	T& operator[](int32 Place) { check(IsValidIndex(Place)); return Values[static_cast<size_t>(Place)]; }
	const T& operator[](int32 Place) const { check(IsValidIndex(Place)); return Values[static_cast<size_t>(Place)]; }
	bool IsValidIndex(int32 Place) const { return Place >= 0 && Place < Num(); }
	int32 Add(T Value) { Values.push_back(std::move(Value)); return Num() - 1; }
	T& AddDefaulted_GetRef() { Values.emplace_back(); return Values.back(); }
	void Append(const T* From, int32 Count) { Values.insert(Values.end(), From, From + Count); }
	void Reset() { Values.clear(); }
	void SetNum(int32 Count) { Values.resize(static_cast<size_t>(Count)); }
	void SetNumZeroed(int32 Count) { Values.resize(static_cast<size_t>(Count)); }
	void SetNumUninitialized(int32 Count) { Values.resize(static_cast<size_t>(Count)); }
	void RemoveAt(int32 First, int32 Count) { Values.erase(Values.begin() + First, Values.begin() + First + Count); }
	int32 Find(const T& Value) const
	{
		const auto Found = std::find(Values.begin(), Values.end(), Value);
		return Found == Values.end() ? INDEX_NONE : static_cast<int32>(Found - Values.begin());
	}
	auto begin() { return Values.begin(); }
	auto end() { return Values.end(); }
	auto begin() const { return Values.begin(); }
	auto end() const { return Values.end(); }

private:
	std::vector<T> Values;
};

template <typename K, typename V>
class TMap
{
public:
	V* Find(const K& Key)
	{
		const auto Found = Values.find(Key);
		return Found == Values.end() ? nullptr : &Found->second;
	}
	V& Add(const K& Key, const V& Value) { return Values[Key] = Value; }
	int32 Remove(const K& Key) { return static_cast<int32>(Values.erase(Key)); }
	void Reset() { Values.clear(); }
	int32 Num() const { return static_cast<int32>(Values.size()); }

private:
	std::map<K, V> Values;
};

template <typename T>
class TOptional
{
public:
	TOptional() = default;
	TOptional(const T& InValue) : Value(InValue), bSet(true) {}
	bool IsSet() const { return bSet; }
	const T* operator->() const { return &Value; }

private:
	T Value{};
	bool bSet = false;
};

enum class ESPMode : uint8
{
	NotThreadSafe = 0,
	ThreadSafe = 1
};

template <typename T, ESPMode Mode>
class TSharedPtr;

template <typename T, ESPMode Mode = ESPMode::ThreadSafe>
class TSharedRef
{
public:
	explicit TSharedRef(const std::shared_ptr<T>& InShared) : Shared(InShared) { check(Shared != nullptr); }
	template <typename U, typename = std::enable_if_t<std::is_convertible_v<U*, T*>>>
	TSharedRef(const TSharedRef<U, Mode>& Other) : Shared(Other.Shared)
	{
	}
	T* operator->() const { return Shared.get(); }
	T& operator*() const { return *Shared; }
	T& Get() const { return *Shared; }

	std::shared_ptr<T> Shared;
};

template <typename T, ESPMode Mode = ESPMode::ThreadSafe>
class TSharedPtr
{
public:
	TSharedPtr() = default;
	TSharedPtr(std::nullptr_t) {}
	explicit TSharedPtr(const std::shared_ptr<T>& InShared) : Shared(InShared) {}
	template <typename U, typename = std::enable_if_t<std::is_convertible_v<U*, T*>>>
	TSharedPtr(const TSharedPtr<U, Mode>& Other) : Shared(Other.Shared)
	{
	}
	template <typename U, typename = std::enable_if_t<std::is_convertible_v<U*, T*>>>
	TSharedPtr(const TSharedRef<U, Mode>& Other) : Shared(Other.Shared)
	{
	}
	T* operator->() const { check(Shared != nullptr); return Shared.get(); }
	T& operator*() const { check(Shared != nullptr); return *Shared; }
	T* Get() const { return Shared.get(); }
	bool IsValid() const { return Shared != nullptr; }
	void Reset() { Shared.reset(); }
	TSharedRef<T, Mode> ToSharedRef() const { return TSharedRef<T, Mode>(Shared); }

	std::shared_ptr<T> Shared;
};

template <typename T, ESPMode Mode = ESPMode::ThreadSafe>
class TWeakPtr
{
public:
	TWeakPtr() = default;
	TWeakPtr(const TSharedPtr<T, Mode>& Other) : Weak(Other.Shared) {}
	TSharedPtr<T, Mode> Pin() const { return TSharedPtr<T, Mode>(Weak.lock()); }

private:
	std::weak_ptr<T> Weak;
};

template <typename T, ESPMode Mode = ESPMode::ThreadSafe, typename... Types>
TSharedRef<T, Mode> MakeShared(Types&&... Arguments)
{
	return TSharedRef<T, Mode>(std::make_shared<T>(std::forward<Types>(Arguments)...));
}

template <typename T>
class TSharedFromThis
{
};
