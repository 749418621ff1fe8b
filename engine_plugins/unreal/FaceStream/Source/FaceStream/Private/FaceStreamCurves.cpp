#include "FaceStreamCurves.h"

namespace
{
TArray<FName> MakeNames(EFaceStreamNames Names)
{
	TArray<FName> Made;
	const bool bARKit = Names == EFaceStreamNames::ARKit;
	for (int32 Place = 0; Place < (bARKit ? FS_CURVE_COUNT : FS_METAHUMAN_COUNT); ++Place)
	{
		Made.Add(FName(UTF8_TO_TCHAR(bARKit ? fs_live_link_name(Place) : fs_metahuman_name(Place))));
	}
	for (int32 Place = FS_CURVE_COUNT; Place < FS_LIVE_LINK_COUNT; ++Place)
	{
		Made.Add(FName(UTF8_TO_TCHAR(fs_live_link_name(Place))));
	}
	return Made;
}
} // namespace

const TArray<FName>& FaceStreamCurveNames(EFaceStreamNames Names)
{
	static const TArray<FName> ARKit = MakeNames(EFaceStreamNames::ARKit);
	static const TArray<FName> MetaHuman = MakeNames(EFaceStreamNames::MetaHuman);
	return Names == EFaceStreamNames::ARKit ? ARKit : MetaHuman;
}

void FaceStreamCurveValues(EFaceStreamNames Names, const fs_face& Face, TArray<float>& Out)
{
	float Values[FS_LIVE_LINK_COUNT];
	fs_live_link_values(&Face, Values);
	if (Names == EFaceStreamNames::ARKit)
	{
		Out.Reset();
		Out.Append(Values, FS_LIVE_LINK_COUNT);
		return;
	}
	Out.SetNumUninitialized(FS_METAHUMAN_COUNT);
	fs_metahuman_controls(Face.weights, Out.GetData());
	Out.Append(Values + FS_CURVE_COUNT, FS_LIVE_LINK_COUNT - FS_CURVE_COUNT);
}
