#include "facestream/core/visemes.h"

#include <algorithm>
#include <cmath>

namespace facestream {

const char* const kVisemeNames[kVisemeCount] = {"sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS",
                                                "nn",  "RR", "aa", "E",  "ih", "oh", "ou"};
const char* const kVisemeMorphs[kVisemeCount] = {"viseme_sil", "viseme_PP", "viseme_FF", "viseme_TH", "viseme_DD",
                                                 "viseme_kk",  "viseme_CH", "viseme_SS", "viseme_nn", "viseme_RR",
                                                 "viseme_aa",  "viseme_E",  "viseme_I",  "viseme_O",  "viseme_U"};

namespace {

constexpr int kSpoken = kVisemeCount - 1;  // all but silence
constexpr int kMostRounds = 4 * kSpoken;   // random faces need 15
constexpr double kTolerance = 1e-9;

// Columns of Apple's order; "both" stands for a left column and the right one behind it.
constexpr int kJawOpen = 17, kMouthClose = 18, kFunnel = 19, kPucker = 20, kRollLower = 31, kRollUpper = 32,
              kTongue = 51;
constexpr int kSmile = 23, kStretch = 29, kPress = 35, kLowerDown = 37, kUpperUp = 39;
constexpr bool IsBoth(int column) {
  return column == kSmile || column == kStretch || column == kPress || column == kLowerDown || column == kUpperUp;
}

struct Part {
  int viseme, column;
  float weight;
};
constexpr Part kPoses[] = {
    {1, kMouthClose, .05f}, {1, kPress, .5f},      {1, kRollLower, .25f}, {1, kRollUpper, .25f}, {2, kRollLower, .55f},
    {2, kUpperUp, .25f},    {2, kJawOpen, .05f},   {3, kJawOpen, .15f},   {3, kTongue, .35f},    {3, kUpperUp, .1f},
    {4, kJawOpen, .12f},    {4, kUpperUp, .15f},   {4, kLowerDown, .2f},  {5, kJawOpen, .2f},    {5, kStretch, .15f},
    {5, kLowerDown, .1f},   {6, kFunnel, .5f},     {6, kJawOpen, .1f},    {6, kPucker, .15f},    {6, kUpperUp, .1f},
    {7, kStretch, .3f},     {7, kLowerDown, .25f}, {7, kUpperUp, .1f},    {7, kJawOpen, .04f},   {8, kJawOpen, .1f},
    {8, kUpperUp, .1f},     {8, kLowerDown, .08f}, {9, kFunnel, .3f},     {9, kPucker, .25f},    {9, kJawOpen, .1f},
    {10, kJawOpen, .65f},   {10, kLowerDown, .2f}, {11, kJawOpen, .3f},   {11, kSmile, .2f},     {11, kStretch, .2f},
    {11, kLowerDown, .2f},  {12, kJawOpen, .18f},  {12, kSmile, .35f},    {12, kStretch, .15f},  {13, kJawOpen, .4f},
    {13, kFunnel, .55f},    {14, kJawOpen, .12f},  {14, kPucker, .7f},    {14, kFunnel, .2f},
};

// The poses as rows, and their inner products.
struct Basis {
  float pose[kVisemeCount][kCurveCount] = {};
  double gram[kSpoken][kSpoken] = {};

  Basis() {
    for (const Part& part : kPoses) {
      pose[part.viseme][part.column] = part.weight;
      if (IsBoth(part.column)) pose[part.viseme][part.column + 1] = part.weight;
    }
    for (int one = 0; one < kSpoken; ++one) {
      for (int other = 0; other < kSpoken; ++other) gram[one][other] = Product(pose[one + 1], pose[other + 1]);
    }
  }

  // Over the jaw, the mouth and the tongue: what the poses are made of.
  static double Product(const float* one, const float* other) {
    double sum = double{one[kTongue]} * other[kTongue];
    for (int column = 14; column <= 40; ++column) sum += double{one[column]} * other[column];
    return sum;
  }
};

const Basis& TheBasis() {
  static const Basis basis;
  return basis;
}

// Non-negative least squares by the active sets of Lawson and Hanson (Solving Least Squares Problems, chapter 23), as
// in facestream/visemes.py: the poses are too much alike for descent.
class Fit {
 public:
  explicit Fit(const float* weights) : basis_(TheBasis()) {
    for (int one = 0; one < kSpoken; ++one) wanted_[one] = Basis::Product(basis_.pose[one + 1], weights);
    for (int round = 0; round < kMostRounds && (!is_settled_ || Free()); ++round) Step();
  }

  const double* found() const { return found_; }

 private:
  // Frees the entry that would help most; false where none would.
  bool Free() {
    int best = -1;
    double most = kTolerance;
    for (int one = 0; one < kSpoken; ++one) {
      double pull = wanted_[one];
      for (int other = 0; other < kSpoken; ++other) pull -= basis_.gram[one][other] * found_[other];
      if (!is_free_[one] && pull > most) best = one, most = pull;
    }
    if (best >= 0) is_free_[best] = true;
    return best >= 0;
  }

  // Goes to the minimum over the free entries, or as far as the first that would become negative, which is held then.
  void Step() {
    double target[kSpoken];
    Solve(target);
    double share = 1;
    is_settled_ = true;
    for (int one = 0; one < kSpoken; ++one) {
      if (!is_free_[one] || target[one] > 0) continue;
      is_settled_ = false;
      share = std::min(share, ShareLeft(one, target[one]));
    }
    for (int one = 0; one < kSpoken; ++one) {
      if (is_free_[one] && target[one] <= 0 && ShareLeft(one, target[one]) <= share) is_free_[one] = false;
      found_[one] = is_free_[one] ? found_[one] + share * (target[one] - found_[one]) : 0;
    }
  }

  double ShareLeft(int one, double target) const { return found_[one] / std::max(found_[one] - target, 1e-30); }

  // The minimum over the free entries, by Cholesky factors; zero elsewhere.
  void Solve(double* target) const {
    double factor[kSpoken][kSpoken] = {}, forward[kSpoken] = {};
    std::fill_n(target, kSpoken, 0.0);
    for (int row = 0; row < kSpoken; ++row) {
      if (!is_free_[row]) continue;
      forward[row] = wanted_[row];
      for (int column = 0; column <= row; ++column) {
        if (!is_free_[column]) continue;
        double sum = basis_.gram[row][column];
        for (int inner = 0; inner < column; ++inner) sum -= factor[row][inner] * factor[column][inner];
        factor[row][column] = row == column ? std::sqrt(std::max(sum, 1e-12)) : sum / factor[column][column];
        if (column < row) forward[row] -= factor[row][column] * forward[column];
      }
      forward[row] /= factor[row][row];
    }
    for (int row = kSpoken - 1; row >= 0; --row) {
      if (!is_free_[row]) continue;
      target[row] = forward[row];
      for (int below = row + 1; below < kSpoken; ++below) target[row] -= factor[below][row] * target[below];
      target[row] /= factor[row][row];
    }
  }

  const Basis& basis_;
  double wanted_[kSpoken], found_[kSpoken] = {};
  bool is_free_[kSpoken] = {}, is_settled_ = true;
};

}  // namespace

void Visemes(const float weights[kCurveCount], float visemes[kVisemeCount]) {
  const Fit fit(weights);
  double sum = 0;
  for (int one = 0; one < kSpoken; ++one) sum += fit.found()[one];
  for (int one = 0; one < kSpoken; ++one) visemes[one + 1] = static_cast<float>(fit.found()[one] / std::max(sum, 1.0));
  visemes[0] = static_cast<float>(std::max(0.0, 1 - sum));
}

void VisemePose(int viseme, float weights[kCurveCount]) { std::copy_n(TheBasis().pose[viseme], kCurveCount, weights); }

}  // namespace facestream
