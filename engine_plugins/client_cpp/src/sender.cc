#include "sender.h"

#include <algorithm>

#include "requests.h"

namespace facestream {
namespace {

constexpr int kPrimingS = 2;   // audio sent again before the first frame wanted
constexpr int kHistoryS = 11;  // audio kept; a reader further behind loses frames when the connection breaks

}  // namespace

Sender::Sender(const StreamOptions& options)
    : options_(options),
      chunk_(static_cast<size_t>(options.sample_rate_hz) * options.chunk_ms / 1000),
      audio_(static_cast<size_t>(options.sample_rate_hz) * options.audio_room_ms / 1000, options.channel_count),
      history_(static_cast<size_t>(options.sample_rate_hz) * kHistoryS, options.channel_count),
      values_(chunk_ * options.channel_count),
      controls_(options.controls),
      wanted_(chunk_) {}

void Sender::Add(const Controls& controls) {
  std::lock_guard<std::mutex> lock(mutex_);
  commands_.push_back({audio_.end_sample(), false, 0, controls});
}

void Sender::AddMarker(int64_t marker_id) {
  std::lock_guard<std::mutex> lock(mutex_);
  commands_.push_back({audio_.end_sample(), true, marker_id, {}});
}

void Sender::ForgetMarker(int64_t marker_id) {
  std::lock_guard<std::mutex> lock(mutex_);
  markers_.erase(
      std::remove_if(markers_.begin(), markers_.end(), [&](const Marker& marker) { return marker.id == marker_id; }),
      markers_.end());
}

bool Sender::Open(Call& call, const Resumption& resumption) {
  is_half_closed_ = false;
  v1::StreamConfig* config = request_.mutable_config();
  *config = ConfigOf(options_);
  *config->mutable_controls() = ControlsOf(controls_);
  if (resumption.token.empty()) return call.Write(request_);
  const int64_t start = PrimingStart(resumption);
  config->mutable_resume()->set_token(resumption.token);
  config->mutable_resume()->set_first_sample(start);
  config->mutable_resume()->set_first_frame_index(resumption.next_frame);
  return call.Write(request_) && Repeat(call, start);
}

// On a multiple of 800 ms, two seconds before the next frame: at every usual rate a whole number of any model's steps
// (40 and 160 ms), so that the new call computes the very same ones.
int64_t Sender::PrimingStart(const Resumption& resumption) const {
  const int64_t rate_hz = options_.sample_rate_hz;
  const int64_t grid = rate_hz % 5 == 0 ? 4 * rate_hz / 5 : 4 * rate_hz;
  const int64_t wanted = std::max<int64_t>(0, resumption.clock.SampleOf(resumption.next_frame) - kPrimingS * rate_hz);
  const int64_t start = wanted / grid * grid;
  return start >= history_.first_sample() ? start : (history_.first_sample() + grid - 1) / grid * grid;
}

bool Sender::Repeat(Call& call, int64_t first_sample) {
  std::vector<Marker> markers;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    markers = markers_;
  }
  size_t told = 0;
  for (int64_t sample = first_sample; sample < history_.end_sample();) {
    for (; told < markers.size() && markers[told].sample <= sample; ++told) {
      if (!WriteMarker(call, markers[told].id)) return false;
    }
    size_t count = UntilNextStep(sample);
    if (told < markers.size()) count = std::min(count, static_cast<size_t>(markers[told].sample - sample));
    count = history_.Read(sample, values_.data(), count);
    if (count == 0 || !WriteAudio(call, sample, count)) return false;
    sample += static_cast<int64_t>(count);
  }
  for (; told < markers.size(); ++told) {
    if (!WriteMarker(call, markers[told].id)) return false;
  }
  return true;
}

bool Sender::HasWork() const {
  if (is_half_closed_ || has_bad_audio_) return false;
  return is_finished_ || audio_.Count() >= UntilNextStep(audio_.position()) || Due() != nullptr;
}

bool Sender::SendNext(Call& call) {
  if (is_half_closed_ || has_bad_audio_) return true;
  const bool is_finished = is_finished_;  // before the audio: all of it was offered then
  const Command* due = Due();
  if (due != nullptr && (audio_.position() >= due->sample || audio_.Count() == 0)) {
    const Command command = *due;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      commands_.pop_front();
    }
    return Execute(call, command);
  }
  size_t count = UntilNextStep(audio_.position());
  if (due != nullptr) count = std::min(count, static_cast<size_t>(due->sample - audio_.position()));
  if (audio_.Count() < count && !is_finished && due == nullptr) return true;
  int64_t first_sample = 0;
  count = audio_.Pop(values_.data(), count, &first_sample);
  wanted_ = UntilNextStep(audio_.position());
  if (count > 0) {
    history_.Add(first_sample, values_.data(), count);  // noted first: a call that is opened anew has it too
    return WriteAudio(call, first_sample, count);
  }
  if (is_finished && due == nullptr && audio_.Count() == 0) {
    is_half_closed_ = true;
    call.HalfClose();
  }
  return true;
}

bool Sender::Execute(Call& call, const Command& command) {
  if (command.is_marker) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      markers_.push_back({command.sample, command.marker_id});
    }
    return WriteMarker(call, command.marker_id);
  }
  Merge(command.controls, &controls_);
  *request_.mutable_control()->mutable_controls() = ControlsOf(command.controls);
  return call.Write(request_);
}

bool Sender::WriteAudio(Call& call, int64_t first_sample, size_t count) {
  v1::AudioChunk* chunk = request_.mutable_audio();
  chunk->set_first_sample(first_sample);
  has_bad_audio_ = !EncodeAudio(options_, values_.data(), count * static_cast<size_t>(options_.channel_count),
                                chunk->mutable_data());
  return !has_bad_audio_ && call.Write(request_);
}

bool Sender::WriteMarker(Call& call, int64_t marker_id) {
  request_.mutable_flush()->set_marker_id(marker_id);
  return call.Write(request_);
}

// Chunks end on multiples of their length, which is where models compute.
size_t Sender::UntilNextStep(int64_t position) const { return chunk_ - static_cast<size_t>(position) % chunk_; }

// The next command; elements of a deque stay in place while others are put behind them.
const Sender::Command* Sender::Due() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return commands_.empty() ? nullptr : &commands_.front();
}

}  // namespace facestream
