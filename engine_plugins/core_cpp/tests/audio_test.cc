#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>
#include <vector>

#include "facestream/core/audio_history.h"
#include "facestream/core/resampler.h"
#include "facestream/core/spsc_queue.h"

namespace facestream::tests {

TEST(SampleQueue, TwoThreadsLoseNothingAndKeepTheOrder) {
  SampleQueue queue(100);  // small, so that it is often full and often empty
  constexpr size_t kTotal = 200000;
  std::thread producer([&] {
    std::mt19937 chance(1);
    float block[64];
    for (size_t sent = 0; sent < kTotal;) {
      const size_t count = std::min<size_t>(1 + chance() % 64, kTotal - sent);
      for (size_t place = 0; place < count; ++place) block[place] = static_cast<float>(sent + place);
      const size_t taken = queue.Push(block, count);
      sent += taken;
      if (taken == 0) std::this_thread::yield();
    }
  });
  float block[64];
  size_t received = 0, wrong = 0;
  while (received < kTotal) {
    const size_t count = queue.Pop(block, 64);
    for (size_t place = 0; place < count; ++place) wrong += block[place] != static_cast<float>(received + place);
    received += count;
    if (count == 0) std::this_thread::yield();
  }
  producer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(queue.Count(), 0u);
}

TEST(SpscQueue, TwoThreadsLoseNothingAndKeepTheOrder) {
  struct Value {
    long long number, copy;
  };
  SpscQueue<Value> queue(4);
  constexpr long long kTotal = 50000;
  std::thread producer([&] {
    for (long long number = 0; number < kTotal;) {
      if (queue.TryPush({number, number})) {
        ++number;
      } else {
        std::this_thread::yield();
      }
    }
  });
  Value value{};
  long long wrong = 0;
  for (long long number = 0; number < kTotal;) {
    if (!queue.TryPop(&value)) {
      std::this_thread::yield();
      continue;
    }
    wrong += value.number != number || value.copy != number;
    ++number;
  }
  producer.join();
  EXPECT_EQ(wrong, 0);
}

TEST(SpscQueue, SaysWhenItIsFullAndTakesNothingThen) {
  SpscQueue<int> queue(3);
  ASSERT_EQ(queue.capacity(), 4u);
  for (int value = 0; value < 4; ++value) EXPECT_TRUE(queue.TryPush(value));
  EXPECT_FALSE(queue.TryPush(4));
  int value = -1;
  for (int expected = 0; expected < 4; ++expected) {
    ASSERT_TRUE(queue.TryPop(&value));
    EXPECT_EQ(value, expected);
  }
  EXPECT_FALSE(queue.TryPop(&value));
}

TEST(AudioHistory, KeepsTheNewestAndFillsWhatWasLeftOut) {
  std::mt19937 chance(5);
  for (int channels : {1, 2}) {
    AudioHistory history(300, channels);
    std::vector<float> all;  // everything, with silence in the gaps
    for (int round = 0; round < 300; ++round) {
      if (chance() % 5 == 0) all.resize(all.size() + chance() % 500 * static_cast<size_t>(channels));
      const size_t count = chance() % (round % 50 == 0 ? 700 : 90);
      std::vector<float> piece(count * static_cast<size_t>(channels));
      for (float& sample : piece) sample = static_cast<float>(chance() % 1000);
      history.Add(static_cast<int64_t>(all.size()) / channels, piece.data(), count);
      all.insert(all.end(), piece.begin(), piece.end());
      const int64_t end = static_cast<int64_t>(all.size()) / channels;
      ASSERT_EQ(history.end_sample(), end);
      ASSERT_EQ(history.first_sample(), std::max<int64_t>(0, end - 300));
      const int64_t from = history.first_sample() + static_cast<int64_t>(chance() % 300);
      std::vector<float> kept(1000 * static_cast<size_t>(channels));
      const size_t given = history.Read(from, kept.data(), 1000);
      ASSERT_EQ(given, static_cast<size_t>(std::max<int64_t>(0, end - from)));
      for (size_t place = 0; place < given * static_cast<size_t>(channels); ++place) {
        ASSERT_EQ(kept[place], all[static_cast<size_t>(from) * static_cast<size_t>(channels) + place]);
      }
    }
    float none;
    EXPECT_EQ(history.Read(history.first_sample() - 1, &none, 1), 0u);
    EXPECT_EQ(history.Read(history.end_sample(), &none, 1), 0u);
  }
}

std::vector<float> Resampled(Resampler& resampler, const std::vector<float>& samples, std::mt19937* chance) {
  std::vector<float> out(resampler.MostOutputs(samples.size()) + resampler.MostOutputs(1000));
  size_t given = 0;
  for (size_t sent = 0; sent < samples.size();) {
    const size_t count = std::min(chance ? 1 + (*chance)() % 3000 : samples.size(), samples.size() - sent);
    const size_t made = resampler.Push(samples.data() + sent, count, out.data() + given);
    EXPECT_LE(made, resampler.MostOutputs(count));
    given += made;
    sent += count;
  }
  given += resampler.Flush(out.data() + given);
  out.resize(given);
  return out;
}

TEST(Resampler, GivesTheSameHoweverTheAudioIsCut) {
  std::mt19937 chance(6);
  std::vector<float> samples(30000);
  for (float& sample : samples) sample = static_cast<float>(chance() % 2001) / 1000 - 1;
  for (const auto& [in, out] :
       {std::pair{48000, 16000}, {44100, 16000}, {8000, 16000}, {16000, 16000}, {16000, 48000}}) {
    Resampler resampler(in, out);
    const std::vector<float> whole = Resampled(resampler, samples, nullptr),
                             cut = Resampled(resampler, samples, &chance);
    EXPECT_EQ(whole.size(),
              (samples.size() * static_cast<size_t>(out) + static_cast<size_t>(in) - 1) / static_cast<size_t>(in));
    EXPECT_EQ(whole, cut) << in << " to " << out << ", and used a second time";
  }
}

TEST(Resampler, KeepsWhatBothRatesCanCarryAndRefusesTheRest) {
  const auto sine = [](double hz, int rate, size_t count) {
    std::vector<float> samples(count);
    for (size_t place = 0; place < count; ++place) {
      samples[place] = static_cast<float>(std::sin(2 * 3.14159265358979 * hz * static_cast<double>(place) / rate));
    }
    return samples;
  };
  for (int rate : {44100, 48000, 96000, 192000}) {
    Resampler resampler(rate, 16000);
    const std::vector<float> out = Resampled(resampler, sine(1000, rate, static_cast<size_t>(rate)), nullptr);
    const std::vector<float> expected = sine(1000, 16000, out.size());
    float worst = 0;
    for (size_t place = 100; place + 100 < out.size(); ++place)
      worst = std::max(worst, std::abs(out[place] - expected[place]));
    EXPECT_LT(worst, 2e-3) << "1 kHz from " << rate;
    const std::vector<float> alias = Resampled(resampler, sine(12000, rate, static_cast<size_t>(rate)), nullptr);
    float loudest = 0;
    for (size_t place = 100; place + 100 < alias.size(); ++place) loudest = std::max(loudest, std::abs(alias[place]));
    EXPECT_LT(loudest, 1e-3) << "12 kHz from " << rate << " must not come through as 4 kHz";
    EXPECT_LE(resampler.delay_samples(), rate / 500 + 1);
  }
}

TEST(Resampler, MixesChannelsToTheirMean) {
  const float stereo[] = {1, 0, 0.5f, -0.5f, -1, -1};
  float mono[3];
  MixToMono(stereo, 3, 2, mono);
  EXPECT_EQ(mono[0], 0.5f);
  EXPECT_EQ(mono[1], 0);
  EXPECT_EQ(mono[2], -1);
}

}  // namespace facestream::tests
