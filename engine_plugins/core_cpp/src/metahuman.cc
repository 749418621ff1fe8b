#include "facestream/core/metahuman.h"

#include <algorithm>

namespace facestream {
namespace {

// What one curve at 1 adds to one control: an exported copy of the pose asset.
struct Share {
  int curve, control;
  float weight;
};

constexpr Share kShares[] = {
    {0, 0, 1.0f},    {1, 1, 1.0f},    {2, 2, 1.0f},    {3, 3, 1.0f},    {4, 4, 1.0f},    {5, 5, 1.0f},
    {6, 6, 1.0f},    {7, 7, 1.0f},    {8, 8, 1.0f},    {9, 9, 1.0f},    {10, 10, 1.0f},  {11, 11, 1.0f},
    {12, 12, 1.0f},  {13, 13, 1.0f},  {14, 14, 1.0f},  {15, 15, 1.0f},  {16, 16, 1.0f},  {17, 17, 1.0f},
    {19, 18, 1.0f},  {19, 19, 1.0f},  {19, 20, 1.0f},  {19, 21, 1.0f},  {20, 22, 1.0f},  {20, 23, 1.0f},
    {20, 24, 1.0f},  {20, 25, 1.0f},  {20, 26, 0.41f}, {20, 27, 0.41f}, {20, 28, 0.41f}, {20, 29, 0.41f},
    {20, 18, 0.75f}, {20, 19, 0.75f}, {20, 20, 0.75f}, {20, 21, 0.75f}, {21, 30, 1.0f},  {22, 31, 1.0f},
    {23, 32, 1.0f},  {24, 33, 1.0f},  {25, 34, 1.0f},  {26, 35, 1.0f},  {27, 36, 1.0f},  {28, 37, 1.0f},
    {29, 38, 1.0f},  {30, 39, 1.0f},  {31, 40, 1.0f},  {31, 41, 1.0f},  {31, 42, 0.5f},  {31, 43, 0.5f},
    {32, 42, 1.0f},  {32, 43, 1.0f},  {33, 44, 1.0f},  {33, 45, 1.0f},  {34, 46, 1.0f},  {34, 47, 1.0f},
    {35, 48, 1.0f},  {35, 49, 1.0f},  {36, 50, 1.0f},  {36, 51, 1.0f},  {37, 52, 1.0f},  {38, 53, 1.0f},
    {39, 54, 1.0f},  {40, 55, 1.0f},  {41, 56, 1.0f},  {42, 57, 1.0f},  {43, 58, 1.0f},  {43, 59, 1.0f},
    {43, 60, 1.0f},  {43, 61, 1.0f},  {44, 58, 1.0f},  {44, 62, 1.0f},  {45, 59, 1.0f},  {45, 63, 1.0f},
    {46, 64, 1.0f},  {46, 65, 1.0f},  {46, 66, 1.0f},  {46, 67, 1.0f},  {47, 68, 1.0f},  {48, 69, 1.0f},
    {49, 70, 1.0f},  {50, 71, 1.0f},  {51, 72, 0.77f}, {51, 73, 0.83f}, {51, 74, 0.63f}, {51, 75, 0.25f}};

}  // namespace

const char* const kMetaHumanNames[kMetaHumanCount] = {"CTRL_expressions_eyeBlinkL",
                                                      "CTRL_expressions_eyeLookDownL",
                                                      "CTRL_expressions_eyeLookRightL",
                                                      "CTRL_expressions_eyeLookLeftL",
                                                      "CTRL_expressions_eyeLookUpL",
                                                      "CTRL_expressions_eyeSquintInnerL",
                                                      "CTRL_expressions_eyeWidenL",
                                                      "CTRL_expressions_eyeBlinkR",
                                                      "CTRL_expressions_eyeLookDownR",
                                                      "CTRL_expressions_eyeLookLeftR",
                                                      "CTRL_expressions_eyeLookRightR",
                                                      "CTRL_expressions_eyeLookUpR",
                                                      "CTRL_expressions_eyeSquintInnerR",
                                                      "CTRL_expressions_eyeWidenR",
                                                      "CTRL_expressions_jawFwd",
                                                      "CTRL_expressions_jawLeft",
                                                      "CTRL_expressions_jawRight",
                                                      "CTRL_expressions_jawOpen",
                                                      "CTRL_expressions_mouthFunnelUL",
                                                      "CTRL_expressions_mouthFunnelUR",
                                                      "CTRL_expressions_mouthFunnelDL",
                                                      "CTRL_expressions_mouthFunnelDR",
                                                      "CTRL_expressions_mouthLipsPurseUL",
                                                      "CTRL_expressions_mouthLipsPurseUR",
                                                      "CTRL_expressions_mouthLipsPurseDL",
                                                      "CTRL_expressions_mouthLipsPurseDR",
                                                      "CTRL_expressions_mouthLipsTowardsUL",
                                                      "CTRL_expressions_mouthLipsTowardsUR",
                                                      "CTRL_expressions_mouthLipsTowardsDL",
                                                      "CTRL_expressions_mouthLipsTowardsDR",
                                                      "CTRL_expressions_mouthLeft",
                                                      "CTRL_expressions_mouthRight",
                                                      "CTRL_expressions_mouthCornerPullL",
                                                      "CTRL_expressions_mouthCornerPullR",
                                                      "CTRL_expressions_mouthCornerDepressL",
                                                      "CTRL_expressions_mouthCornerDepressR",
                                                      "CTRL_expressions_mouthDimpleL",
                                                      "CTRL_expressions_mouthDimpleR",
                                                      "CTRL_expressions_mouthStretchL",
                                                      "CTRL_expressions_mouthStretchR",
                                                      "CTRL_expressions_mouthLowerLipRollInL",
                                                      "CTRL_expressions_mouthLowerLipRollInR",
                                                      "CTRL_expressions_mouthUpperLipRollInL",
                                                      "CTRL_expressions_mouthUpperLipRollInR",
                                                      "CTRL_expressions_jawChinRaiseDL",
                                                      "CTRL_expressions_jawChinRaiseDR",
                                                      "CTRL_expressions_jawChinRaiseUL",
                                                      "CTRL_expressions_jawChinRaiseUR",
                                                      "CTRL_expressions_mouthPressUL",
                                                      "CTRL_expressions_mouthPressDL",
                                                      "CTRL_expressions_mouthPressUR",
                                                      "CTRL_expressions_mouthPressDR",
                                                      "CTRL_expressions_mouthLowerLipDepressL",
                                                      "CTRL_expressions_mouthLowerLipDepressR",
                                                      "CTRL_expressions_mouthUpperLipRaiseL",
                                                      "CTRL_expressions_mouthUpperLipRaiseR",
                                                      "CTRL_expressions_browDownL",
                                                      "CTRL_expressions_browDownR",
                                                      "CTRL_expressions_browRaiseInL",
                                                      "CTRL_expressions_browRaiseInR",
                                                      "CTRL_expressions_browLateralL",
                                                      "CTRL_expressions_browLateralR",
                                                      "CTRL_expressions_browRaiseOuterL",
                                                      "CTRL_expressions_browRaiseOuterR",
                                                      "CTRL_expressions_mouthCheekBlowL",
                                                      "CTRL_expressions_mouthCheekBlowR",
                                                      "CTRL_expressions_mouthLipsBlowL",
                                                      "CTRL_expressions_mouthLipsBlowR",
                                                      "CTRL_expressions_eyeCheekRaiseL",
                                                      "CTRL_expressions_eyeCheekRaiseR",
                                                      "CTRL_expressions_noseWrinkleL",
                                                      "CTRL_expressions_noseWrinkleR",
                                                      "CTRL_expressions_tongueOut",
                                                      "CTRL_expressions_tongueDown",
                                                      "CTRL_expressions_tongueWide",
                                                      "CTRL_expressions_tongueRollDown"};

void MetaHumanControls(const float weights[kCurveCount], float controls[kMetaHumanCount]) {
  std::fill_n(controls, kMetaHumanCount, 0.0f);
  for (const Share& share : kShares) controls[share.control] += share.weight * weights[share.curve];
  for (int control = 0; control < kMetaHumanCount; ++control)
    controls[control] = std::clamp(controls[control], 0.0f, 1.0f);
}

}  // namespace facestream
