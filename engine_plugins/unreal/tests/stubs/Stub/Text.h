// FString, FName, FText.
#pragma once

#include "Stub/Types.h"

std::string StubNarrow(const TCHAR* Text);
std::u16string StubWide(const char* Text);

/** What UE_LOG and Printf take: TCHAR texts and numbers, and no char texts. */
struct FStubArgument
{
	FStubArgument(const TCHAR* InText) : Text(StubNarrow(InText)), Kind('s') {}
	template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>>
	FStubArgument(T Value) : Number(static_cast<double>(Value)), Integer(static_cast<long long>(Value)), Kind(std::is_floating_point_v<T> ? 'f' : 'd')
	{
	}

	std::string Text;
	double Number = 0;
	long long Integer = 0;
	char Kind;
};
std::string StubFormat(const TCHAR* Format, const std::vector<FStubArgument>& Arguments);

class FString
{
public:
	FString() = default;
	FString(const TCHAR* Text) : Value(Text == nullptr ? u"" : Text) {}
	const TCHAR* operator*() const { return Value.c_str(); }
	bool IsEmpty() const { return Value.empty(); }
	int32 Len() const { return static_cast<int32>(Value.size()); }
	bool operator==(const FString& Other) const { return Value == Other.Value; }
	template <typename... Types>
	static FString Printf(const TCHAR* Format, Types... Arguments)
	{
		return FString(StubWide(StubFormat(Format, {FStubArgument(Arguments)...}).c_str()).c_str());
	}

private:
	std::u16string Value;
};

/** Conversions that live as long as the expression, or the variable. */
class FTCHARToUTF8
{
public:
	explicit FTCHARToUTF8(const TCHAR* Text) : Value(StubNarrow(Text)) {}
	FTCHARToUTF8(const FTCHARToUTF8&) = delete;
	const char* Get() const { return Value.c_str(); }

private:
	std::string Value;
};
class FUTF8ToTCHAR
{
public:
	explicit FUTF8ToTCHAR(const char* Text) : Value(StubWide(Text)) {}
	const TCHAR* Get() const { return Value.c_str(); }

private:
	std::u16string Value;
};
#define TCHAR_TO_UTF8(Text) (FTCHARToUTF8(Text).Get())
#define UTF8_TO_TCHAR(Text) (FUTF8ToTCHAR(Text).Get())

/** Compared without regard to case, as Unreal's are. */
class FName
{
public:
	FName() = default;
	explicit FName(const TCHAR* Text) : Shown(Text), Key(StubNarrow(Text))
	{
		std::transform(Key.begin(), Key.end(), Key.begin(), [](unsigned char Letter) { return static_cast<char>(std::tolower(Letter)); });
	}
	bool IsNone() const { return Key.empty(); }
	FString ToString() const { return IsNone() ? FString(TEXT("None")) : Shown; }
	bool operator==(const FName& Other) const { return Key == Other.Key; }
	bool operator!=(const FName& Other) const { return Key != Other.Key; }
	bool operator<(const FName& Other) const { return Key < Other.Key; }

private:
	FString Shown;
	std::string Key;
};

class FText
{
public:
	static FText FromString(const FString& Text)
	{
		FText Made;
		Made.Value = Text;
		return Made;
	}
	static FText AsNumber(int32 Value) { return FromString(FString::Printf(TEXT("%d"), Value)); }
	template <typename... Types>
	static FText Format(const FText& Pattern, const Types&... Arguments)
	{
		std::string Made = StubNarrow(*Pattern.Value);
		int Place = 0;
		const auto Put = [&](const FText& Argument)
		{
			const std::string Mark = "{" + std::to_string(Place++) + "}";
			Made.replace(Made.find(Mark), Mark.size(), StubNarrow(*Argument.Value));
		};
		(Put(Arguments), ...);
		return FromString(FString(StubWide(Made.c_str()).c_str()));
	}
	const FString& ToString() const { return Value; }

private:
	FString Value;
};
#define LOCTEXT(Key, Text) (static_cast<void>(LOCTEXT_NAMESPACE Key), FText::FromString(FString(TEXT(Text))))
