#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <vector>

#include "faces.h"
#include "facestream/core/frame_clock.h"
#include "facestream/core/jitter_buffer.h"
#include "facestream/core/presentation_clock.h"

namespace facestream::tests {

constexpr FrameClock kClock{{30, 1}, 48000};
constexpr int64_t kStep = 1600;  // samples of a frame

TEST(FrameClock, SamplesAndFramesAreEachOthersInverse) {
  std::mt19937_64 chance(1);
  for (const FrameClock clock :
       {FrameClock{{30, 1}, 16000}, {{30000, 1001}, 44100}, {{60, 1}, 48000}, {{24, 1}, 11025}}) {
    for (int round = 0; round < 2000; ++round) {
      const int64_t frame = static_cast<int64_t>(chance() % 100000000);
      const int64_t sample = clock.SampleOf(frame);
      ASSERT_EQ(clock.FramesUntil(sample), frame) << "frame " << frame << " is not before its own sample";
      ASSERT_EQ(clock.FramesUntil(sample + 1), frame + 1);
      // ceil(frame * rate * den / num), in the words of the definition
      const __int128 exact = static_cast<__int128>(frame) * clock.sample_rate_hz * clock.rate.denominator;
      ASSERT_GE(static_cast<__int128>(sample) * clock.rate.numerator, exact);
      ASSERT_LT(static_cast<__int128>(sample - 1) * clock.rate.numerator, exact);
    }
  }
}

TEST(JitterBuffer, FramesAreShownWithTheirSoundAndMixedBetween) {
  JitterBuffer buffer(kClock, 16);
  for (int frame = 0; frame < 10; ++frame) ASSERT_TRUE(buffer.Add({frame, EvenFace(0.1f * static_cast<float>(frame))}));
  buffer.At(0);
  for (int64_t sample = kStep * 3; sample < kStep * 9; sample += 137) {  // behind the blend from "nothing yet"
    const Face face = buffer.At(sample);
    EXPECT_NEAR(face.weights[7], 0.1 * static_cast<double>(sample) / kStep, 1e-5);
    EXPECT_FALSE(buffer.is_starved());
  }
}

TEST(JitterBuffer, NothingIsShownBeforeItsSound) {
  JitterBuffer buffer(kClock, 16);
  buffer.Add({5, EvenFace(1)});
  EXPECT_EQ(buffer.At(4 * kStep).weights[0], 0);
  EXPECT_TRUE(buffer.is_starved());
  EXPECT_EQ(buffer.At(5 * kStep - 1).weights[0], 0);
  buffer.At(5 * kStep);
  EXPECT_FALSE(buffer.is_starved());
}

TEST(JitterBuffer, AStarvedFaceHoldsThenRestsAndComesBackSoftly) {
  JitterBuffer buffer(kClock, 64);
  for (int frame = 0; frame < 10; ++frame) buffer.Add({frame, EvenFace(1)});
  const auto at_ms = [&](double ms) { return buffer.At(9 * kStep + static_cast<int64_t>(ms * 48)); };
  buffer.At(0);
  buffer.At(8 * kStep);
  EXPECT_EQ(at_ms(99).weights[0], 1);
  EXPECT_TRUE(buffer.is_starved());
  const float halfway = at_ms(100 + 125).weights[0];
  EXPECT_NEAR(halfway, 0.5, 1e-3);
  EXPECT_EQ(at_ms(351).weights[0], 0);
  for (int frame = 20; frame < 30; ++frame) buffer.Add({frame, EvenFace(1)});
  const float first = at_ms(1000.0 / 30 * 11).weights[0];
  EXPECT_LT(first, 0.1) << "no jump";
  EXPECT_FALSE(buffer.is_starved());
  EXPECT_NEAR(at_ms(1000.0 / 30 * 11 + 40).weights[0], 0.5, 0.02);
  EXPECT_EQ(at_ms(1000.0 / 30 * 11 + 81).weights[0], 1);
}

TEST(JitterBuffer, OldFramesNeverReplaceNewOnesAndAFullBufferSaysSo) {
  JitterBuffer buffer(kClock, 4);
  for (int frame = 0; frame < 4; ++frame) EXPECT_TRUE(buffer.Add({frame, EvenFace(0.5f)}));
  EXPECT_TRUE(buffer.is_full());
  EXPECT_FALSE(buffer.Add({4, EvenFace(1)}));
  EXPECT_TRUE(buffer.Add({2, EvenFace(1)})) << "one that is held is ignored, not refused";
  EXPECT_EQ(buffer.count(), 4u);
  EXPECT_NEAR(buffer.At(3 * kStep).weights[0], 0.5, 1e-6);
  EXPECT_TRUE(buffer.Add({4, EvenFace(1)})) << "what was shown made room";
}

TEST(JitterBuffer, JitterWithinTheDelayIsNeverSeen) {
  // Frames come up to 80 ms late, sound is played 120 ms behind them: no starved moment.
  std::mt19937 chance(4);
  const auto starved = [&](int64_t delay_ms) {
    JitterBuffer buffer(kClock, 256);
    std::vector<std::pair<int64_t, int>> arrivals;
    for (int frame = 0; frame < 600; ++frame)
      arrivals.push_back({kStep * frame + static_cast<int64_t>(chance() % 81) * 48, frame});
    for (size_t frame = 1; frame < arrivals.size(); ++frame) {  // one connection keeps the order
      arrivals[frame].first = std::max(arrivals[frame].first, arrivals[frame - 1].first);
    }
    int count = 0;
    size_t come = 0;
    for (int64_t now = 0; now < 590 * kStep; now += 800) {  // 60 pictures a second
      while (come < arrivals.size() && arrivals[come].first <= now) {
        buffer.Add({arrivals[come].second, EvenFace(0.3f)});
        ++come;
      }
      const int64_t sample = now - delay_ms * 48;
      if (sample < 0) continue;
      buffer.At(sample);
      count += buffer.is_starved();
    }
    return count;
  };
  EXPECT_EQ(starved(120), 0);
  EXPECT_GT(starved(30), 0) << "and without the delay it is";
}

TEST(PresentationClock, RunsEvenlyWhereTheDeviceDoesNot) {
  // Buffers of 1024 samples whose hand-over comes up to 8 ms late; 60 pictures a second.
  std::mt19937 chance(7);
  PresentationClock clock(48000, 2048);
  const double ns_per_sample = 1e9 / 48000;
  int64_t handed = 0, last = clock.PositionAt(0), last_step = 0;
  double next_due_ns = 0;
  int64_t next_report_ns = 0, worst_off = 0, worst_uneven = 0, worst_plain = 0, plain_last = 0;
  for (int64_t now = 0; now < 20000000000; now += 1000000) {
    while (now >= next_report_ns) {
      handed += 1024;
      clock.Report(handed, now);
      next_due_ns += 1024 * ns_per_sample;
      next_report_ns = static_cast<int64_t>(next_due_ns) + static_cast<int64_t>(chance() % 9) * 1000000;
    }
    if (now % 16000000 != 0) continue;
    const int64_t position = clock.PositionAt(now), step = position - last;
    ASSERT_GE(position, last);
    ASSERT_LE(position, handed);
    if (now > 2000000000) {
      const int64_t ideal = static_cast<int64_t>(static_cast<double>(now) / ns_per_sample) + 1024 - 2048;
      worst_off = std::max(worst_off, std::abs(position - ideal));
      worst_uneven = std::max(worst_uneven, std::abs(step - 768));
      worst_plain = std::max(worst_plain, std::abs(handed - plain_last - 768));
    }
    last = position, last_step = step, plain_last = handed;
  }
  EXPECT_LT(worst_off, 48 * 10) << "within 10 ms of the sound";
  EXPECT_LT(worst_uneven, 150) << "3 ms, where the device itself jumps by " << worst_plain;
  EXPECT_GT(worst_plain, 700);
  (void)last_step;
}

TEST(PresentationClock, StandsStillWhenTheDeviceDoesAndFollowsAJump) {
  PresentationClock clock(16000, 160);
  EXPECT_EQ(clock.PositionAt(0), -160);
  clock.Report(160, 0);
  EXPECT_EQ(clock.PositionAt(0), 0);
  EXPECT_EQ(clock.PositionAt(5000000), 80);
  EXPECT_EQ(clock.PositionAt(60000000), 160) << "never what was not handed over";
  clock.Report(16000, 70000000);
  EXPECT_EQ(clock.PositionAt(70000000), 16000 - 160);
}

TEST(PlayoutDelay, IsTheMostThatFramesNeededOfLate) {
  PlayoutDelay delay;
  EXPECT_EQ(delay.Samples(), 0);
  delay.Note(0, 5000);
  for (int frame = 1; frame < 100; ++frame) delay.Note(frame * 533, frame * 533 + 1600 + frame);
  EXPECT_EQ(delay.Samples(), 5000);
  for (int frame = 100; frame < 400; ++frame) delay.Note(frame * 533, frame * 533 + 1600);
  EXPECT_EQ(delay.Samples(), 1600) << "what was long ago is forgotten";
}

}  // namespace facestream::tests
