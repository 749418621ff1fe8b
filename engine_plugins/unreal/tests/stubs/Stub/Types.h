// Stand-ins of our own for what the plugin touches of Unreal 5.4 to 5.6: names and signatures as its public headers
// have them, bodies as small as they can be. Only to compile and run the plugin's code without the engine.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using int8 = std::int8_t;
using int16 = std::int16_t;
using int32 = std::int32_t;
using int64 = std::int64_t;
using uint8 = std::uint8_t;
using uint16 = std::uint16_t;
using uint32 = std::uint32_t;
using uint64 = std::uint64_t;
using TCHAR = char16_t;

#define TEXT_PASTE(x) u##x
#define TEXT(x) TEXT_PASTE(x)
#define FORCEINLINE inline
#define INDEX_NONE -1
#define PLATFORM_WINDOWS 0
#define THIRD_PARTY_INCLUDES_START
#define THIRD_PARTY_INCLUDES_END
#define check(Condition) ((Condition) ? (void)0 : (std::fprintf(stderr, "check failed: %s\n", #Condition), std::abort()))
#define FACESTREAM_API
#define FACESTREAMEDITOR_API

template <typename T>
constexpr std::remove_reference_t<T>&& MoveTemp(T&& Object)
{
	return static_cast<std::remove_reference_t<T>&&>(Object);
}

template <typename Signature>
using TFunction = std::function<Signature>;

struct FMath
{
	template <typename T>
	static T Min(T A, T B) { return A < B ? A : B; }
	template <typename T>
	static T Max(T A, T B) { return A < B ? B : A; }
	template <typename T>
	static T Clamp(T Value, T Low, T High) { return Value < Low ? Low : High < Value ? High : Value; }
	template <typename T>
	static T Lerp(T A, T B, T Share) { return A + Share * (B - A); }
	static int64 RoundToInt64(double Value) { return static_cast<int64>(std::floor(Value + 0.5)); }
	static int32 FloorToInt32(double Value) { return static_cast<int32>(std::floor(Value)); }
};

template <typename T>
struct TNumericLimits
{
	static constexpr T Max() { return std::numeric_limits<T>::max(); }
};

struct FMemory
{
	static void* Memzero(void* Out, size_t Count) { return std::memset(Out, 0, Count); }
};

struct FPlatformTime
{
	static double Seconds(); // the driver's clock
};

extern bool GIsEditor;
