// One moment of a face.
#pragma once

#include "facestream/core/curves.h"

namespace facestream {

// Curves 0..1 in canonical order; rotations against the neutral head as quaternions x y z w, right-handed, +Y up, +Z
// out of the face. 64 floats without padding, so that faces travel by memcpy.
struct Face {
  float weights[kCurveCount] = {};
  float head[4] = {0, 0, 0, 1};
  float left_eye[4] = {0, 0, 0, 1};
  float right_eye[4] = {0, 0, 0, 1};
};
static_assert(sizeof(Face) == 64 * sizeof(float), "faces are copied as 64 floats");

// A face with the index of its frame; frame i belongs to the sample that FrameClock::SampleOf(i) names.
struct Frame {
  long long index = 0;
  Face face;
};

// Linear between two faces, `share` of the second; rotations take the shorter arc and are normalised.
Face Between(const Face& first, const Face& second, float share);

}  // namespace facestream
