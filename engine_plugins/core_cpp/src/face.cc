#include "facestream/core/face.h"

#include <algorithm>
#include <cmath>

namespace facestream {
namespace {

void RotateBetween(const float first[4], const float second[4], float share, float out[4]) {
  float cosine = 0, length = 0;
  for (int axis = 0; axis < 4; ++axis) cosine += first[axis] * second[axis];
  const float sign = cosine >= 0 ? 1.0f : -1.0f;
  for (int axis = 0; axis < 4; ++axis) {
    out[axis] = first[axis] + share * (sign * second[axis] - first[axis]);
    length += out[axis] * out[axis];
  }
  length = std::max(std::sqrt(length), 1e-9f);
  for (int axis = 0; axis < 4; ++axis) out[axis] /= length;
}

}  // namespace

Face Between(const Face& first, const Face& second, float share) {
  Face face;
  for (int curve = 0; curve < kCurveCount; ++curve) {
    face.weights[curve] = first.weights[curve] + share * (second.weights[curve] - first.weights[curve]);
  }
  RotateBetween(first.head, second.head, share, face.head);
  RotateBetween(first.left_eye, second.left_eye, share, face.left_eye);
  RotateBetween(first.right_eye, second.right_eye, share, face.right_eye);
  return face;
}

}  // namespace facestream
