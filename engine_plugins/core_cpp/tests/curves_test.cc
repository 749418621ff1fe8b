#include "facestream/core/curves.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

#include "faces.h"
#include "facestream/core/metahuman.h"
#include "facestream/core/rotation.h"
#include "facestream/core/visemes.h"

namespace facestream::tests {

TEST(Curves, EveryNameIsFoundAtItsPlaceAndNoOther) {
  for (int curve = 0; curve < kCurveCount; ++curve) {
    EXPECT_EQ(CurveIndex(kCurveNames[curve]), curve);
    EXPECT_EQ(MatchCurve(kLiveLinkNames[curve]), curve);
  }
  EXPECT_EQ(CurveIndex("JawOpen"), -1);
  EXPECT_EQ(CurveIndex("jawopened"), -1);
  EXPECT_EQ(CurveIndex(""), -1);
}

TEST(Curves, ShapesAreRecognisedHoweverTheyWereExported) {
  for (int curve = 0; curve < kCurveCount; ++curve) {
    const std::string name = kCurveNames[curve];
    EXPECT_EQ(MatchCurve("blendShape1." + name), curve);
    EXPECT_EQ(MatchCurve("Head.Face_01." + name), curve);
    for (const char* side : {"Left", "Right"}) {
      const size_t place = name.rfind(side);
      if (place == std::string::npos) continue;
      const std::string stem = name.substr(0, place);
      for (const char* mark : {"_", "."}) {
        EXPECT_EQ(MatchCurve(stem + mark + side[0]), curve) << stem;
        EXPECT_EQ(MatchCurve("mesh." + stem + mark + static_cast<char>(std::tolower(side[0]))), curve) << stem;
      }
    }
  }
  for (const char* stranger : {"", ".", "_L", "left", "mouthSmile", "jawOpenLeft", "blendShape1.", "viseme_aa"}) {
    EXPECT_EQ(MatchCurve(stranger), -1) << stranger;
  }
}

TEST(Visemes, EachPoseIsItsOwnViseme) {
  for (int viseme = 0; viseme < kVisemeCount; ++viseme) {
    float weights[kCurveCount], found[kVisemeCount];
    VisemePose(viseme, weights);
    Visemes(weights, found);
    for (int other = 0; other < kVisemeCount; ++other) {
      EXPECT_NEAR(found[other], other == viseme ? 1 : 0, 0.01) << kVisemeNames[viseme] << " as " << kVisemeNames[other];
    }
  }
}

TEST(Visemes, SumToOneAndFollowTheJaw) {
  std::mt19937 chance(1);
  for (int round = 0; round < 200; ++round) {
    const Face face = RandomFace(chance);
    float found[kVisemeCount], sum = 0;
    Visemes(face.weights, found);
    for (float value : found) {
      EXPECT_GE(value, 0);
      sum += value;
    }
    EXPECT_NEAR(sum, 1, 1e-5);
  }
  Face open;
  open.weights[CurveIndex("jawOpen")] = 0.6f;
  float found[kVisemeCount];
  Visemes(open.weights, found);
  for (int viseme = 0; viseme < kVisemeCount; ++viseme) EXPECT_GE(found[10], found[viseme]) << "aa is the open jaw";
}

TEST(MetaHuman, EachCurveMovesControlsExceptTheLipsAgainstTheJaw) {
  for (int curve = 0; curve < kCurveCount; ++curve) {
    Face face;
    face.weights[curve] = 1;
    float controls[kMetaHumanCount], sum = 0;
    MetaHumanControls(face.weights, controls);
    for (float value : controls) sum += value;
    EXPECT_EQ(sum > 0, std::string(kCurveNames[curve]) != "mouthClose") << kCurveNames[curve];
  }
  float controls[kMetaHumanCount];
  MetaHumanControls(EvenFace(1).weights, controls);
  for (float value : controls) EXPECT_LE(value, 1);
}

TEST(Rotation, NodTurnAndTiltGoTheSameWayEverywhere) {
  const float half = 3.14159265f / 12, sine = std::sin(half), cosine = std::cos(half);  // of 30 degrees
  const float nod[4] = {sine, 0, 0, cosine}, turn[4] = {0, sine, 0, cosine}, tilt[4] = {0, 0, sine, cosine};
  EXPECT_NEAR(AnglesOf(nod).pitch, 2 * half, 1e-6);  // down
  EXPECT_NEAR(AnglesOf(turn).yaw, -2 * half, 1e-6);  // to the subject's left
  EXPECT_NEAR(AnglesOf(tilt).roll, 2 * half, 1e-6);
  // turning a vector must commute with changing axes
  const auto turned = [](const float q[4], const float v[3], float out[3]) {
    const float x = q[0], y = q[1], z = q[2], w = q[3];
    const float t[3] = {2 * (y * v[2] - z * v[1]), 2 * (z * v[0] - x * v[2]), 2 * (x * v[1] - y * v[0])};
    out[0] = v[0] + w * t[0] + y * t[2] - z * t[1];
    out[1] = v[1] + w * t[1] + z * t[0] - x * t[2];
    out[2] = v[2] + w * t[2] + x * t[1] - y * t[0];
  };
  std::mt19937 chance(2);
  for (int round = 0; round < 50; ++round) {
    const Face face = RandomFace(chance);
    const float nose[3] = {0.1f, -0.2f, 1};
    float here[3], there[3], changed[4];
    turned(face.head, nose, here);
    const float in_unity[3] = {-nose[0], nose[1], nose[2]}, in_unreal[3] = {nose[2], -nose[0], nose[1]};
    ToUnity(face.head, changed);
    turned(changed, in_unity, there);
    EXPECT_NEAR(there[0], -here[0], 1e-5);
    EXPECT_NEAR(there[1], here[1], 1e-5);
    EXPECT_NEAR(there[2], here[2], 1e-5);
    ToUnreal(face.head, changed);
    turned(changed, in_unreal, there);
    EXPECT_NEAR(there[0], here[2], 1e-5);
    EXPECT_NEAR(there[1], -here[0], 1e-5);
    EXPECT_NEAR(there[2], here[1], 1e-5);
  }
}

TEST(Rotation, LiveLinkValuesComeBackAsTheSameFace) {
  std::mt19937 chance(3);
  for (int round = 0; round < 50; ++round) {
    const Face face = RandomFace(chance);
    float values[kLiveLinkCount], again[kLiveLinkCount];
    LiveLinkValues(face, values);
    LiveLinkValues(FaceOfLiveLink(values), again);
    for (int value = 0; value < kLiveLinkCount; ++value) EXPECT_NEAR(values[value], again[value], 2e-4) << value;
  }
}

}  // namespace facestream::tests
