// MetaHuman rig controls of ARKit curves: an approximation of Epic's pose asset `mh_arkit_mapping_pose`, for tools
// without it. In Unreal itself ARKit curve names are enough.
#pragma once

#include "facestream/core/curves.h"

namespace facestream {

inline constexpr int kMetaHumanCount = 76;

// Control names, "CTRL_expressions_jawOpen" and so on.
extern const char* const kMetaHumanNames[kMetaHumanCount];

// Controls 0..1 of curves 0..1. `mouthClose` has none: the rig's own graph handles it against the jaw.
void MetaHumanControls(const float weights[kCurveCount], float controls[kMetaHumanCount]);

}  // namespace facestream
