#include "requests.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace facestream {
namespace {

template <typename T>
void Replace(const std::optional<T>& later, std::optional<T>* earlier) {
  if (later) *earlier = later;
}

void PutActing(const Controls& controls, v1::MotionControls* message) {
  if (controls.emotion) {
    if (*controls.emotion == "speech") {
      message->mutable_acting()->mutable_speech();
    } else {
      message->mutable_acting()->set_preset(*controls.emotion);
    }
  }
  if (controls.emotion_spread) message->mutable_acting()->set_emotion_spread(*controls.emotion_spread);
  if (controls.speaker) message->mutable_acting()->set_speaker(*controls.speaker);
  if (controls.style) {
    v1::StyleControls* styling = message->mutable_acting()->mutable_styling();
    if (*controls.style == "none") {
      styling->mutable_none();
    } else {
      styling->set_name(*controls.style);
    }
  }
  if (controls.style_strength) message->mutable_acting()->mutable_styling()->set_strength(*controls.style_strength);
  if (controls.head_amount) message->mutable_acting()->mutable_styling()->set_head_amount(*controls.head_amount);
}

bool AllFinite(const google::protobuf::RepeatedField<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

v1::StreamConfig ConfigOf(const StreamOptions& options) {
  v1::StreamConfig config;
  config.set_model(options.model);
  config.mutable_audio_format()->set_encoding(options.sends_floats ? v1::AUDIO_ENCODING_F32LE
                                                                   : v1::AUDIO_ENCODING_S16LE);
  config.mutable_audio_format()->set_sample_rate_hz(static_cast<uint32_t>(options.sample_rate_hz));
  config.mutable_audio_format()->set_channel_count(static_cast<uint32_t>(options.channel_count));
  config.mutable_frame_rate()->set_numerator(static_cast<uint32_t>(options.frame_rate.numerator));
  config.mutable_frame_rate()->set_denominator(static_cast<uint32_t>(options.frame_rate.denominator));
  config.set_curve_set("arkit52");
  if (options.seed) config.set_seed(*options.seed);
  config.set_slow_reader_policy(options.waits_for_reader ? v1::SLOW_READER_POLICY_WAIT
                                                         : v1::SLOW_READER_POLICY_DROP_OLDEST);
  return config;
}

void Merge(const Controls& later, Controls* earlier) {
  Replace(later.mouth_strength, &earlier->mouth_strength);
  Replace(later.blinks, &earlier->blinks);
  Replace(later.gaze, &earlier->gaze);
  Replace(later.emotion, &earlier->emotion);
  Replace(later.emotion_spread, &earlier->emotion_spread);
  Replace(later.speaker, &earlier->speaker);
  Replace(later.style, &earlier->style);
  Replace(later.style_strength, &earlier->style_strength);
  Replace(later.head_amount, &earlier->head_amount);
}

v1::MotionControls ControlsOf(const Controls& controls) {
  v1::MotionControls message;
  if (controls.mouth_strength) message.set_mouth_strength(*controls.mouth_strength);
  if (controls.blinks) message.set_blinks(*controls.blinks);
  if (controls.gaze) message.set_gaze(*controls.gaze);
  PutActing(controls, &message);
  return message;
}

bool EncodeAudio(const StreamOptions& options, const float* values, size_t count, std::string* bytes) {
  bytes->resize(count * (options.sends_floats ? sizeof(float) : sizeof(int16_t)));
  for (size_t place = 0; place < count; ++place) {
    if (!std::isfinite(values[place])) return false;
    if (options.sends_floats) continue;
    const auto value = static_cast<int16_t>(std::clamp(std::nearbyint(values[place] * 32768.0f), -32768.0f, 32767.0f));
    std::memcpy(bytes->data() + place * sizeof value, &value, sizeof value);
  }
  // little-endian machines only, as those of games are
  if (options.sends_floats) std::memcpy(bytes->data(), values, bytes->size());
  return true;
}

StreamInfo InfoOf(const v1::StreamStarted& started, const StreamOptions& options) {
  StreamInfo info;
  info.stream_id = started.stream_id();
  info.model = started.model();
  info.model_version = started.model_version();
  info.clock.rate.numerator = static_cast<int32_t>(started.frame_rate().numerator());
  info.clock.rate.denominator = std::max(1, static_cast<int32_t>(started.frame_rate().denominator()));
  info.clock.sample_rate_hz = options.sample_rate_hz;
  info.latency_samples = started.latency_samples();
  info.seed = started.seed();
  return info;
}

Frame FrameOf(const v1::FrameRun& run, int place) {
  Frame frame;
  frame.index = run.first_frame_index() + place;
  std::copy_n(run.weights().data() + place * kCurveCount, kCurveCount, frame.face.weights);
  if (run.head_rotation_size() > 0) {
    std::copy_n(run.head_rotation().data() + place * 4, 4, frame.face.head);
    std::copy_n(run.left_eye_rotation().data() + place * 4, 4, frame.face.left_eye);
    std::copy_n(run.right_eye_rotation().data() + place * 4, 4, frame.face.right_eye);
  }
  return frame;
}

bool IsWhole(const v1::FrameRun& run) {
  const int64_t count = run.frame_count();
  const auto has = [&](const google::protobuf::RepeatedField<float>& values, int64_t width) {
    return values.size() == count * width && AllFinite(values);
  };
  const bool has_rotations = run.head_rotation_size() > 0;
  return count > 0 && has(run.weights(), kCurveCount) &&
         (!has_rotations ||
          (has(run.head_rotation(), 4) && has(run.left_eye_rotation(), 4) && has(run.right_eye_rotation(), 4)));
}

bool EventOf(const v1::StreamEvent& message, Event* event) {
  switch (message.kind_case()) {
    case v1::StreamEvent::kFlushDone:
      *event = {Event::kFlushDone, message.flush_done().marker_id(), message.flush_done().next_frame_index(), 0};
      return true;
    case v1::StreamEvent::kGap:
      *event = {Event::kGap, 0, message.gap().first_sample(), message.gap().sample_count()};
      return true;
    case v1::StreamEvent::kFramesDropped:
      *event = {Event::kFramesDropped, 0, message.frames_dropped().first_frame_index(),
                message.frames_dropped().frame_count()};
      return true;
    case v1::StreamEvent::kSpeechStarted:
      *event = {Event::kSpeechStarted, 0, message.speech_started().sample(), 0};
      return true;
    case v1::StreamEvent::kSpeechEnded:
      *event = {Event::kSpeechEnded, 0, message.speech_ended().sample(), 0};
      return true;
    case v1::StreamEvent::kAheadOfRealTime:
      *event = {Event::kAheadOfRealTime, 0, 0, message.ahead_of_real_time().ahead_samples()};
      return true;
    case v1::StreamEvent::kGoingAway: {
      const auto& left = message.going_away().time_left();
      *event = {Event::kGoingAway, 0, 0, left.seconds() * 1000 + left.nanos() / 1000000};
      return true;
    }
    default:
      return false;
  }
}

}  // namespace facestream
