// Faces for tests: seeded, with unit quaternions.
#pragma once

#include <cmath>
#include <random>

#include "facestream/core/face.h"

namespace facestream::tests {

inline Face RandomFace(std::mt19937& chance) {
  std::uniform_real_distribution<float> weight(0, 1);
  std::normal_distribution<float> part(0, 1);
  Face face;
  for (float& value : face.weights) value = weight(chance);
  for (float* rotation : {face.head, face.left_eye, face.right_eye}) {
    float length = 0;
    for (int axis = 0; axis < 4; ++axis) {
      rotation[axis] = part(chance);
      length += rotation[axis] * rotation[axis];
    }
    for (int axis = 0; axis < 4; ++axis) rotation[axis] /= std::sqrt(length);
  }
  return face;
}

// All curves at one value, rotations at rest.
inline Face EvenFace(float value) {
  Face face;
  for (float& weight : face.weights) weight = value;
  return face;
}

}  // namespace facestream::tests
