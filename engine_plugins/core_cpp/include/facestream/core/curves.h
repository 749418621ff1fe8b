// The 52 ARKit blendshapes in canonical order, as facestream sends them and Unreal's face enum counts them.
// "Left" and "right" are always the subject's own.
#pragma once

#include <string_view>

namespace facestream {

inline constexpr int kCurveCount = 52;
inline constexpr int kRotationCount = 9;
// What one Live Link subject has: 52 curves, then yaw, pitch and roll of head, left and right eye.
inline constexpr int kLiveLinkCount = kCurveCount + kRotationCount;

// Canonical names, camel case ("jawOpen").
extern const char* const kCurveNames[kCurveCount];
// Property names of a Live Link subject, Pascal case ("JawOpen" ... "RightEyeRoll").
extern const char* const kLiveLinkNames[kLiveLinkCount];

// Column of exactly this canonical name; -1 for any other.
int CurveIndex(std::string_view name);

// Column that a mesh's shape stands for, however its exporter wrote it: any case, a prefix up to the last dot
// ("head.blendShape1.jawOpen"), sides as Left/Right, _L/_R or .L/.R. -1 where it is none of the 52.
int MatchCurve(std::string_view mesh_name);

}  // namespace facestream
