// Oculus visemes of ARKit curves, for avatars that have no others.
#pragma once

#include "facestream/core/curves.h"

namespace facestream {

inline constexpr int kVisemeCount = 15;

// "sil", "PP", "FF" ... "ou"; a Ready Player Me mesh has them as kVisemeMorphs ("viseme_sil" ... "viseme_U").
extern const char* const kVisemeNames[kVisemeCount];
extern const char* const kVisemeMorphs[kVisemeCount];

// Viseme weights that sum to 1, `sil` being what the others leave: the non-negative mix of 14 mouth poses that comes
// closest to the jaw and mouth of `weights`.
void Visemes(const float weights[kCurveCount], float visemes[kVisemeCount]);

// The pose of one viseme.
void VisemePose(int viseme, float weights[kCurveCount]);

}  // namespace facestream
