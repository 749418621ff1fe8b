#include "facestream/core/rotation.h"

#include <algorithm>
#include <cmath>

namespace facestream {

Angles AnglesOf(const float rotation[4]) {
  const double x = rotation[0], y = rotation[1], z = rotation[2], w = rotation[3];
  const double pitch = std::asin(std::clamp(2.0 * (w * x - y * z), -1.0, 1.0));
  const double yaw = std::atan2(2.0 * (x * z + w * y), 1.0 - 2.0 * (x * x + y * y));
  const double roll = std::atan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z));
  return {static_cast<float>(-yaw), static_cast<float>(pitch), static_cast<float>(roll)};
}

void RotationOf(const Angles& angles, float rotation[4]) {
  const double yaw = -angles.yaw / 2.0, pitch = angles.pitch / 2.0, roll = angles.roll / 2.0;
  const double sin_y = std::sin(yaw), sin_x = std::sin(pitch), sin_z = std::sin(roll);
  const double cos_y = std::cos(yaw), cos_x = std::cos(pitch), cos_z = std::cos(roll);
  rotation[0] = static_cast<float>(cos_y * sin_x * cos_z + sin_y * cos_x * sin_z);
  rotation[1] = static_cast<float>(sin_y * cos_x * cos_z - cos_y * sin_x * sin_z);
  rotation[2] = static_cast<float>(cos_y * cos_x * sin_z - sin_y * sin_x * cos_z);
  rotation[3] = static_cast<float>(cos_y * cos_x * cos_z + sin_y * sin_x * sin_z);
}

void ToUnity(const float rotation[4], float out[4]) {
  const float x = rotation[0], y = rotation[1], z = rotation[2], w = rotation[3];
  out[0] = x, out[1] = -y, out[2] = -z, out[3] = w;
}

void ToUnreal(const float rotation[4], float out[4]) {
  // axes go forward, right, up = z, -x, y; the mirror turns every rotation round
  const float x = rotation[0], y = rotation[1], z = rotation[2], w = rotation[3];
  out[0] = -z, out[1] = x, out[2] = -y, out[3] = w;
}

void LiveLinkValues(const Face& face, float values[kLiveLinkCount]) {
  std::copy_n(face.weights, kCurveCount, values);
  float* angle = values + kCurveCount;
  for (const float* rotation : {face.head, face.left_eye, face.right_eye}) {
    const Angles angles = AnglesOf(rotation);
    *angle++ = angles.yaw;
    *angle++ = angles.pitch;
    *angle++ = angles.roll;
  }
}

Face FaceOfLiveLink(const float values[kLiveLinkCount]) {
  Face face;
  for (int curve = 0; curve < kCurveCount; ++curve) face.weights[curve] = std::clamp(values[curve], 0.0f, 1.0f);
  const float* angle = values + kCurveCount;
  for (float* rotation : {face.head, face.left_eye, face.right_eye}) {
    RotationOf({angle[0], angle[1], angle[2]}, rotation);
    angle += 3;
  }
  return face;
}

}  // namespace facestream
