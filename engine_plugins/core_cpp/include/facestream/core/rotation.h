// Rotations of the face in the conventions of the programs that receive them.
#pragma once

#include "facestream/core/face.h"

namespace facestream {

// Radians. Negative yaw turns to the subject's left, positive pitch down, roll is positive about +Z: the signs that
// recorded Live Link Face takes show. The turn is yaw after pitch after roll.
struct Angles {
  float yaw, pitch, roll;
};

// Angles of a quaternion x y z w.
Angles AnglesOf(const float rotation[4]);
// The inverse of AnglesOf.
void RotationOf(const Angles& angles, float rotation[4]);

// Left-handed, +Y up, +Z forward, x y z w. `rotation` and `out` may be the same.
void ToUnity(const float rotation[4], float out[4]);
// Left-handed, +Z up, +X forward, x y z w. `rotation` and `out` may be the same.
void ToUnreal(const float rotation[4], float out[4]);

// The 61 values of a Live Link subject: curves, then yaw, pitch, roll in radians of head, left and right eye.
void LiveLinkValues(const Face& face, float values[kLiveLinkCount]);
// The face of such values, curves clamped to 0..1.
Face FaceOfLiveLink(const float values[kLiveLinkCount]);

}  // namespace facestream
