// What a game does for every picture and every audio callback allocates nothing.

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "allocations.h"
#include "faces.h"
#include "facestream/core/audio_history.h"
#include "facestream/core/c_api.h"
#include "facestream/core/jitter_buffer.h"
#include "facestream/core/live_link.h"
#include "facestream/core/metahuman.h"
#include "facestream/core/presentation_clock.h"
#include "facestream/core/resampler.h"
#include "facestream/core/rotation.h"
#include "facestream/core/spsc_queue.h"
#include "facestream/core/visemes.h"
#include "facestream/core/vmc.h"

namespace facestream::tests {

// One character's share of a picture, from a microphone to every receiver.
struct Character {
  Resampler resampler{48000, 16000};
  SampleQueue samples{16384};
  AudioHistory history{32000, 1};
  SpscQueue<Frame> frames{64};
  JitterBuffer buffer{FrameClock{{60, 1}, 16000}, 64};
  PresentationClock clock{16000, 320};
  PlayoutDelay delay;
  std::vector<float> captured = std::vector<float>(2 * 800), mono = std::vector<float>(800),
                     heard = std::vector<float>(1024);
  uint8_t packet[512];
  size_t sent_bytes = 0;
  int64_t sent_samples = 0;

  void Picture(long long index, const Face& face) {
    MixToMono(captured.data(), 800, 2, mono.data());
    samples.Push(heard.data(), resampler.Push(mono.data(), 800, heard.data()));
    const size_t count = samples.Pop(heard.data(), heard.size());
    history.Add(sent_samples, heard.data(), count);
    sent_samples += static_cast<int64_t>(count);
    frames.TryPush({index, face});
    for (Frame frame; frames.TryPop(&frame);) {
      buffer.Add(frame);
      delay.Note(buffer.clock().SampleOf(frame.index), sent_samples);
    }
    const int64_t now_ns = index * 16666667;
    clock.Report(sent_samples, now_ns);
    const Face shown = buffer.At(clock.PositionAt(now_ns));
    float controls[kMetaHumanCount], visemes[kVisemeCount];
    MetaHumanControls(shown.weights, controls);
    Visemes(shown.weights, visemes);
    LiveLinkPacket live_link;
    live_link.device_id = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
    live_link.subject = "character";
    live_link.time = LiveLinkTimeOf(now_ns);
    LiveLinkValues(shown, live_link.values);
    sent_bytes += EncodeLiveLink(live_link, packet, sizeof packet);
    LiveLinkPacket again;
    DecodeLiveLink(packet, sizeof packet, &again);
    for (const VmcNames names : {VmcNames::kPascal, VmcNames::kVrm1Presets}) {
      EncodeVmc(
          shown, 0, {names, true},
          [](void* to, const uint8_t* data, size_t size) {
            *static_cast<size_t*>(to) += size;
            DecodeVmc(
                data, size, [](void*, const VmcMessage&) {}, nullptr);
          },
          &sent_bytes);
    }
    MatchCurve("blendShape1.mouthSmile_L");
  }
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr long long kPictures = 1000;  // sanitizers watch other things, ten times as slowly
#else
constexpr long long kPictures = 10000;
#endif

TEST(SteadyState, ThousandsOfPicturesAllocateNothing) {
  std::mt19937 chance(1);
  const Face face = RandomFace(chance);
  Character character;
  character.Picture(0, face);
  const size_t before = AllocationCount();
  for (long long index = 1; index <= kPictures; ++index) character.Picture(index, face);
  const size_t allocations = AllocationCount() - before;
  RecordProperty("allocations", std::to_string(allocations));
  RecordProperty("frames", std::to_string(kPictures));
  EXPECT_EQ(allocations, 0u);
  EXPECT_GT(character.sent_bytes, static_cast<size_t>(kPictures) * 3000) << "and work was done";
}

TEST(SteadyState, OneAllocationInAThousandPicturesIsNoticed) {
  std::mt19937 chance(1);
  const Face face = RandomFace(chance);
  Character character;
  std::vector<std::unique_ptr<Frame>> hoard;
  hoard.reserve(1);
  const size_t before = AllocationCount();
  for (long long index = 1; index <= 1000; ++index) {
    character.Picture(index, face);
    if (index == 500) hoard.push_back(std::make_unique<Frame>());
  }
  EXPECT_EQ(AllocationCount() - before, 1u);
}

TEST(CApi, ValuesOutOfRangeGiveNoHandleAndNoName) {
  EXPECT_EQ(fs_abi_version(), FS_ABI_VERSION);
  EXPECT_EQ(fs_jitter_buffer_create(0, 1, 16000, 64), nullptr);
  EXPECT_EQ(fs_jitter_buffer_create(30, 1, 16000, 1), nullptr);
  EXPECT_EQ(fs_presentation_clock_create(0, 0), nullptr);
  EXPECT_EQ(fs_resampler_create(7999, 16000), nullptr);
  EXPECT_EQ(fs_sample_queue_create(0), nullptr);
  EXPECT_EQ(fs_curve_name(52), nullptr);
  EXPECT_EQ(fs_curve_name(-1), nullptr);
  EXPECT_STREQ(fs_metahuman_name(17), "CTRL_expressions_jawOpen");
  fs_jitter_buffer_destroy(nullptr);
  fs_resampler* resampler = fs_resampler_create(48000, 16000);
  ASSERT_NE(resampler, nullptr);
  fs_resampler_destroy(resampler);
}

}  // namespace facestream::tests
