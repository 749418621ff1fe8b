#include "facestream/core/c_api.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "facestream/core/curves.h"
#include "facestream/core/face.h"
#include "facestream/core/frame_clock.h"
#include "facestream/core/jitter_buffer.h"
#include "facestream/core/live_link.h"
#include "facestream/core/metahuman.h"
#include "facestream/core/presentation_clock.h"
#include "facestream/core/resampler.h"
#include "facestream/core/rotation.h"
#include "facestream/core/spsc_queue.h"
#include "facestream/core/visemes.h"
#include "facestream/core/vmc.h"

namespace fs = facestream;

static_assert(sizeof(fs_face) == sizeof(fs::Face), "a face is a face");
static_assert(FS_CURVE_COUNT == fs::kCurveCount && FS_LIVE_LINK_COUNT == fs::kLiveLinkCount &&
                  FS_VISEME_COUNT == fs::kVisemeCount && FS_METAHUMAN_COUNT == fs::kMetaHumanCount,
              "one count each");

// A handle is the object itself.
struct fs_jitter_buffer : fs::JitterBuffer {
  using JitterBuffer::JitterBuffer;
};
struct fs_presentation_clock : fs::PresentationClock {
  using PresentationClock::PresentationClock;
};
struct fs_resampler : fs::Resampler {
  using Resampler::Resampler;
};
struct fs_sample_queue : fs::SampleQueue {
  using SampleQueue::SampleQueue;
};

namespace {

constexpr int32_t kMostFrames = 1 << 20;
constexpr int32_t kMostSamples = 1 << 28;

fs::Face FaceOf(const fs_face& face) {
  fs::Face copy;
  std::memcpy(static_cast<void*>(&copy), &face, sizeof copy);
  return copy;
}

void Give(const fs::Face& face, fs_face* out) { std::memcpy(out, &face, sizeof face); }

const char* NameOf(const char* const* names, int32_t count, int32_t place) {
  return place >= 0 && place < count ? names[place] : nullptr;
}

}  // namespace

int32_t fs_abi_version(void) { return FS_ABI_VERSION; }

const char* fs_curve_name(int32_t curve) { return NameOf(fs::kCurveNames, fs::kCurveCount, curve); }
const char* fs_live_link_name(int32_t property) { return NameOf(fs::kLiveLinkNames, fs::kLiveLinkCount, property); }
const char* fs_metahuman_name(int32_t control) { return NameOf(fs::kMetaHumanNames, fs::kMetaHumanCount, control); }
const char* fs_viseme_name(int32_t viseme) { return NameOf(fs::kVisemeNames, fs::kVisemeCount, viseme); }
int32_t fs_curve_index(const char* name) { return fs::CurveIndex(name); }
int32_t fs_match_curve(const char* mesh_name) { return fs::MatchCurve(mesh_name); }

void fs_between(const fs_face* first, const fs_face* second, float share, fs_face* out) {
  Give(fs::Between(FaceOf(*first), FaceOf(*second), share), out);
}
void fs_metahuman_controls(const float* weights, float* controls) { fs::MetaHumanControls(weights, controls); }
void fs_visemes(const float* weights, float* visemes) { fs::Visemes(weights, visemes); }
void fs_live_link_values(const fs_face* face, float* values) { fs::LiveLinkValues(FaceOf(*face), values); }
void fs_to_unity(const float* rotation, float* out) { fs::ToUnity(rotation, out); }
void fs_to_unreal(const float* rotation, float* out) { fs::ToUnreal(rotation, out); }

int64_t fs_sample_of(int32_t numerator, int32_t denominator, int32_t rate_hz, int64_t frame_index) {
  return fs::FrameClock{{numerator, denominator}, rate_hz}.SampleOf(frame_index);
}

fs_jitter_buffer* fs_jitter_buffer_create(int32_t numerator, int32_t denominator, int32_t rate_hz, int32_t capacity) {
  const fs::FrameClock clock{{numerator, denominator}, rate_hz};
  if (!clock.IsValid() || capacity < 2 || capacity > kMostFrames) return nullptr;
  return new (std::nothrow) fs_jitter_buffer(clock, static_cast<size_t>(capacity));
}
void fs_jitter_buffer_destroy(fs_jitter_buffer* buffer) { delete buffer; }
int32_t fs_jitter_buffer_add(fs_jitter_buffer* buffer, int64_t frame_index, const fs_face* face) {
  return buffer->Add({frame_index, FaceOf(*face)});
}
int32_t fs_jitter_buffer_at(fs_jitter_buffer* buffer, int64_t sample, fs_face* face) {
  Give(buffer->At(sample), face);
  return buffer->is_starved();
}
int32_t fs_jitter_buffer_count(const fs_jitter_buffer* buffer) { return static_cast<int32_t>(buffer->count()); }

fs_presentation_clock* fs_presentation_clock_create(int32_t rate_hz, int64_t output_delay_samples) {
  if (rate_hz <= 0 || output_delay_samples < 0) return nullptr;
  return new (std::nothrow) fs_presentation_clock(rate_hz, output_delay_samples);
}
void fs_presentation_clock_destroy(fs_presentation_clock* clock) { delete clock; }
void fs_presentation_clock_report(fs_presentation_clock* clock, int64_t samples_handed_over, int64_t now_ns) {
  clock->Report(samples_handed_over, now_ns);
}
int64_t fs_presentation_clock_position(fs_presentation_clock* clock, int64_t now_ns) {
  return clock->PositionAt(now_ns);
}

fs_resampler* fs_resampler_create(int32_t in_rate_hz, int32_t out_rate_hz) {
  if (!fs::Resampler::Accepts(in_rate_hz) || !fs::Resampler::Accepts(out_rate_hz)) return nullptr;
  return new (std::nothrow) fs_resampler(in_rate_hz, out_rate_hz);
}
void fs_resampler_destroy(fs_resampler* resampler) { delete resampler; }
size_t fs_resampler_most_outputs(const fs_resampler* resampler, size_t count) { return resampler->MostOutputs(count); }
size_t fs_resampler_push(fs_resampler* resampler, const float* samples, size_t count, float* out) {
  return resampler->Push(samples, count, out);
}
size_t fs_resampler_flush(fs_resampler* resampler, float* out) { return resampler->Flush(out); }

fs_sample_queue* fs_sample_queue_create(int32_t capacity) {
  if (capacity < 1 || capacity > kMostSamples) return nullptr;
  return new (std::nothrow) fs_sample_queue(static_cast<size_t>(capacity));
}
void fs_sample_queue_destroy(fs_sample_queue* queue) { delete queue; }
size_t fs_sample_queue_push(fs_sample_queue* queue, const float* samples, size_t count) {
  return queue->Push(samples, count);
}
size_t fs_sample_queue_pop(fs_sample_queue* queue, float* samples, size_t count) { return queue->Pop(samples, count); }

size_t fs_live_link_encode(const char* device_id, const char* subject, int64_t ns_since_midnight, const float* values,
                           uint8_t* data, size_t capacity) {
  fs::LiveLinkPacket packet;
  packet.device_id = device_id;
  packet.subject = subject;
  packet.time = fs::LiveLinkTimeOf(ns_since_midnight);
  packet.has_face = values != nullptr;
  if (packet.has_face) std::copy_n(values, fs::kLiveLinkCount, packet.values);
  return fs::EncodeLiveLink(packet, data, capacity);
}

int32_t fs_live_link_decode(const uint8_t* data, size_t size, char* subject, float* values) {
  fs::LiveLinkPacket packet;
  if (fs::DecodeLiveLink(data, size, &packet) != fs::LiveLinkError::kNone) return -1;
  *std::copy(packet.subject.begin(), packet.subject.end(), subject) = 0;
  if (!packet.has_face) return 0;
  std::copy_n(packet.values, fs::kLiveLinkCount, values);
  return 1;
}

void fs_vmc_encode(const fs_face* face, float time_s, int32_t names, int32_t has_rotations, fs_send send,
                   void* context) {
  fs::VmcOptions options;
  options.names = static_cast<fs::VmcNames>(std::clamp<int32_t>(names, 0, 3));
  options.has_rotations = has_rotations != 0;
  fs::EncodeVmc(FaceOf(*face), time_s, options, send, context);
}

int32_t fs_vmc_decode(const uint8_t* data, size_t size, fs_take_blend take, void* context) {
  struct Sink {
    fs_take_blend take;
    void* context;
  } sink{take, context};
  const auto pass_on = [](void* to, const fs::VmcMessage& message) {
    const Sink& given = *static_cast<Sink*>(to);
    if (message.kind == fs::VmcMessage::kApply) given.take(given.context, "", 0, 0);
    if (message.kind == fs::VmcMessage::kBlend && !message.name.empty()) {
      given.take(given.context, message.name.data(), message.name.size(), message.values[0]);
    }
  };
  return fs::DecodeVmc(data, size, pass_on, &sink);
}
