// Virtual Motion Capture protocol: faces as OSC over UDP, by default to port 39539.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "facestream/core/face.h"

namespace facestream {

inline constexpr uint16_t kVmcPort = 39539;
// Below the usual 1,500 bytes of a network's frames.
inline constexpr size_t kVmcLargestPacket = 1400;

// How an avatar calls its expressions.
enum class VmcNames {
  kPascal,       // the 52 shapes as "JawOpen": "perfect sync" of VRM 0.x
  kCamel,        // the 52 shapes as "jawOpen": most of VRM 1.0
  kVrm0Presets,  // vowels and blinks "A I U E O Blink_L Blink_R"
  kVrm1Presets,  // vowels and blinks "aa ih ou ee oh blinkLeft blinkRight"
};

struct VmcOptions {
  VmcNames names = VmcNames::kPascal;
  bool has_rotations = true;  // bones Head, LeftEye, RightEye
};

using SendPacket = void (*)(void* context, const uint8_t* data, size_t size);

// Sends one face as datagrams of at most kVmcLargestPacket bytes; the last one says "apply". `time_s` is the sender's
// clock.
void EncodeVmc(const Face& face, float time_s, const VmcOptions& options, SendPacket send, void* context);

// What a message says; `name` and `values` as the kind needs them.
struct VmcMessage {
  enum Kind { kOk, kTime, kBlend, kApply, kBone, kRoot } kind = kOk;
  std::string_view name;  // of an expression or a bone, pointing into the packet
  int loaded = 0;         // kOk
  float values[7] = {};   // kTime: seconds; kBlend: weight; kBone, kRoot: position, then rotation x y z w as in Unity
};

// Calls `take` for each message of these kinds; others, and ones with numbers that are not finite, are stepped over.
// False where the bytes are no OSC packet.
bool DecodeVmc(const uint8_t* data, size_t size, void (*take)(void* context, const VmcMessage& message), void* context);

}  // namespace facestream
