#pragma once

#include "Stub/Types.h"

struct FFrameNumber
{
	int32 Value = 0;
};
struct FFrameTime
{
	static FFrameTime FromDecimal(double InDecimalFrame)
	{
		FFrameTime Made;
		Made.FrameNumber.Value = FMath::FloorToInt32(InDecimalFrame);
		Made.SubFrame = static_cast<float>(InDecimalFrame - Made.FrameNumber.Value);
		return Made;
	}
	double AsDecimal() const { return static_cast<double>(FrameNumber.Value) + SubFrame; }

	FFrameNumber FrameNumber;
	float SubFrame = 0.0f;
};
struct FFrameRate
{
	FFrameRate() = default;
	FFrameRate(uint32 InNumerator, uint32 InDenominator) : Numerator(static_cast<int32>(InNumerator)), Denominator(static_cast<int32>(InDenominator)) {}
	int32 Numerator = 60000;
	int32 Denominator = 1001;
};
struct FQualifiedFrameTime
{
	FQualifiedFrameTime() = default;
	FQualifiedFrameTime(const FFrameTime& InTime, const FFrameRate& InRate) : Time(InTime), Rate(InRate) {}
	double AsSeconds() const { return Time.AsDecimal() * Rate.Denominator / Rate.Numerator; }

	FFrameTime Time;
	FFrameRate Rate;
};
