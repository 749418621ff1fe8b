// A face as named curves.
#pragma once

#include "CoreMinimal.h"
#include "FaceStreamCall.h"
#include "FaceStreamTypes.h"

/** Curves, then yaw, pitch and roll of head, left and right eye ("HeadYaw"). */
const TArray<FName>& FaceStreamCurveNames(EFaceStreamNames Names);
/** Their values, curves 0..1 and angles in radians as Live Link Face counts them. */
void FaceStreamCurveValues(EFaceStreamNames Names, const fs_face& Face, TArray<float>& Out);
