#include "facestream/core/curves.h"

#include <cstddef>

namespace facestream {

const char* const kCurveNames[kCurveCount] = {"eyeBlinkLeft",      "eyeLookDownLeft",    "eyeLookInLeft",
                                              "eyeLookOutLeft",    "eyeLookUpLeft",      "eyeSquintLeft",
                                              "eyeWideLeft",       "eyeBlinkRight",      "eyeLookDownRight",
                                              "eyeLookInRight",    "eyeLookOutRight",    "eyeLookUpRight",
                                              "eyeSquintRight",    "eyeWideRight",       "jawForward",
                                              "jawLeft",           "jawRight",           "jawOpen",
                                              "mouthClose",        "mouthFunnel",        "mouthPucker",
                                              "mouthLeft",         "mouthRight",         "mouthSmileLeft",
                                              "mouthSmileRight",   "mouthFrownLeft",     "mouthFrownRight",
                                              "mouthDimpleLeft",   "mouthDimpleRight",   "mouthStretchLeft",
                                              "mouthStretchRight", "mouthRollLower",     "mouthRollUpper",
                                              "mouthShrugLower",   "mouthShrugUpper",    "mouthPressLeft",
                                              "mouthPressRight",   "mouthLowerDownLeft", "mouthLowerDownRight",
                                              "mouthUpperUpLeft",  "mouthUpperUpRight",  "browDownLeft",
                                              "browDownRight",     "browInnerUp",        "browOuterUpLeft",
                                              "browOuterUpRight",  "cheekPuff",          "cheekSquintLeft",
                                              "cheekSquintRight",  "noseSneerLeft",      "noseSneerRight",
                                              "tongueOut"};

const char* const kLiveLinkNames[kLiveLinkCount] = {"EyeBlinkLeft",
                                                    "EyeLookDownLeft",
                                                    "EyeLookInLeft",
                                                    "EyeLookOutLeft",
                                                    "EyeLookUpLeft",
                                                    "EyeSquintLeft",
                                                    "EyeWideLeft",
                                                    "EyeBlinkRight",
                                                    "EyeLookDownRight",
                                                    "EyeLookInRight",
                                                    "EyeLookOutRight",
                                                    "EyeLookUpRight",
                                                    "EyeSquintRight",
                                                    "EyeWideRight",
                                                    "JawForward",
                                                    "JawLeft",
                                                    "JawRight",
                                                    "JawOpen",
                                                    "MouthClose",
                                                    "MouthFunnel",
                                                    "MouthPucker",
                                                    "MouthLeft",
                                                    "MouthRight",
                                                    "MouthSmileLeft",
                                                    "MouthSmileRight",
                                                    "MouthFrownLeft",
                                                    "MouthFrownRight",
                                                    "MouthDimpleLeft",
                                                    "MouthDimpleRight",
                                                    "MouthStretchLeft",
                                                    "MouthStretchRight",
                                                    "MouthRollLower",
                                                    "MouthRollUpper",
                                                    "MouthShrugLower",
                                                    "MouthShrugUpper",
                                                    "MouthPressLeft",
                                                    "MouthPressRight",
                                                    "MouthLowerDownLeft",
                                                    "MouthLowerDownRight",
                                                    "MouthUpperUpLeft",
                                                    "MouthUpperUpRight",
                                                    "BrowDownLeft",
                                                    "BrowDownRight",
                                                    "BrowInnerUp",
                                                    "BrowOuterUpLeft",
                                                    "BrowOuterUpRight",
                                                    "CheekPuff",
                                                    "CheekSquintLeft",
                                                    "CheekSquintRight",
                                                    "NoseSneerLeft",
                                                    "NoseSneerRight",
                                                    "TongueOut",
                                                    "HeadYaw",
                                                    "HeadPitch",
                                                    "HeadRoll",
                                                    "LeftEyeYaw",
                                                    "LeftEyePitch",
                                                    "LeftEyeRoll",
                                                    "RightEyeYaw",
                                                    "RightEyePitch",
                                                    "RightEyeRoll"};

namespace {

char Lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter; }

bool EqualIgnoringCase(std::string_view one, std::string_view other) {
  if (one.size() != other.size()) return false;
  for (size_t place = 0; place < one.size(); ++place) {
    if (Lower(one[place]) != Lower(other[place])) return false;
  }
  return true;
}

bool EndsWith(std::string_view name, std::string_view end) {
  return name.size() >= end.size() && EqualIgnoringCase(name.substr(name.size() - end.size()), end);
}

// A name without its side, and which side that was.
struct Sided {
  std::string_view stem;
  char side;  // 'l', 'r' or 0
};

Sided SidedOf(std::string_view name) {
  constexpr struct {
    std::string_view end;
    char side;
  } kEnds[] = {{"left", 'l'}, {"right", 'r'}, {"_l", 'l'}, {"_r", 'r'}, {".l", 'l'}, {".r", 'r'}};
  for (const auto& [end, side] : kEnds) {
    if (EndsWith(name, end)) return {name.substr(0, name.size() - end.size()), side};
  }
  return {name, 0};
}

}  // namespace

int CurveIndex(std::string_view name) {
  for (int curve = 0; curve < kCurveCount; ++curve) {
    if (name == kCurveNames[curve]) return curve;
  }
  return -1;
}

int MatchCurve(std::string_view mesh_name) {
  const int exact = CurveIndex(mesh_name);
  if (exact >= 0) return exact;
  const Sided asked = SidedOf(mesh_name);
  const size_t dot = asked.stem.rfind('.');
  const std::string_view stem = dot == std::string_view::npos ? asked.stem : asked.stem.substr(dot + 1);
  for (int curve = 0; curve < kCurveCount; ++curve) {
    const Sided known = SidedOf(kCurveNames[curve]);
    if (known.side == asked.side && EqualIgnoringCase(known.stem, stem)) return curve;
  }
  return -1;
}

}  // namespace facestream
