#include "facestream/client/c_api.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "facestream/client/stream.h"

namespace fs = facestream;

static_assert(FS_STATE_FAILED == static_cast<int>(fs::State::kFailed), "states are counted alike");
static_assert(FS_FAILURE_SERVER == static_cast<int>(fs::Failure::kServer), "failures are counted alike");
static_assert(FS_EVENT_RESUMED == static_cast<int>(fs::Event::kResumed), "events are counted alike");

// A handle is the object itself.
struct fs_stream : fs::Stream {
  using Stream::Stream;
};

namespace {

std::string TextOf(const char* text) { return text == nullptr ? std::string() : text; }

void Put(const char* text, std::optional<std::string>* value) {
  if (text != nullptr && *text != 0) *value = text;
}
void Put(float number, std::optional<float>* value) {
  if (number >= 0) *value = number;
}
void Put(int32_t choice, std::optional<bool>* value) {
  if (choice >= 0) *value = choice != 0;
}

fs::Controls ControlsOf(const fs_controls& given) {
  fs::Controls controls;
  Put(given.mouth_strength, &controls.mouth_strength);
  Put(given.blinks, &controls.blinks);
  Put(given.gaze, &controls.gaze);
  Put(given.emotion, &controls.emotion);
  Put(given.emotion_spread, &controls.emotion_spread);
  Put(given.speaker, &controls.speaker);
  Put(given.style, &controls.style);
  Put(given.style_strength, &controls.style_strength);
  Put(given.head_amount, &controls.head_amount);
  return controls;
}

// As much of the text as there is room for, terminated.
void Copy(const std::string& text, char* out, size_t capacity) {
  if (out == nullptr || capacity == 0) return;
  const size_t count = std::min(text.size(), capacity - 1);
  std::memcpy(out, text.data(), count);
  out[count] = 0;
}

}  // namespace

void fs_connection_defaults(fs_connection* connection) {
  *connection = fs_connection();
  connection->has_resume = fs::Connection().has_resume;
}

void fs_controls_defaults(fs_controls* controls) { *controls = {-1, -1, -1, nullptr, -1, nullptr, nullptr, -1, -1}; }

void fs_stream_defaults(fs_stream_options* options) {
  const fs::StreamOptions usual;
  *options = fs_stream_options();
  options->sample_rate_hz = usual.sample_rate_hz;
  options->channel_count = usual.channel_count;
  options->sends_floats = usual.sends_floats;
  options->frame_rate_numerator = usual.frame_rate.numerator;
  options->frame_rate_denominator = usual.frame_rate.denominator;
  options->seed = -1;
  options->waits_for_reader = usual.waits_for_reader;
  options->chunk_ms = usual.chunk_ms;
  options->audio_room_ms = usual.audio_room_ms;
  options->frame_room = usual.frame_room;
  fs_controls_defaults(&options->controls);
}

fs_stream* fs_stream_create(const fs_connection* connection, const fs_stream_options* options) {
  fs::Connection to;
  to.target = TextOf(connection->target);
  to.token = TextOf(connection->token);
  to.root_certificates = TextOf(connection->root_certificates);
  to.has_tls = connection->has_tls != 0;
  to.has_resume = connection->has_resume != 0;
  fs::StreamOptions wanted;
  wanted.sample_rate_hz = options->sample_rate_hz;
  wanted.channel_count = options->channel_count;
  wanted.sends_floats = options->sends_floats != 0;
  wanted.frame_rate = {options->frame_rate_numerator, options->frame_rate_denominator};
  wanted.model = TextOf(options->model);
  if (options->seed >= 0) wanted.seed = static_cast<uint64_t>(options->seed);
  wanted.waits_for_reader = options->waits_for_reader != 0;
  wanted.chunk_ms = options->chunk_ms;
  wanted.audio_room_ms = options->audio_room_ms;
  wanted.frame_room = options->frame_room;
  wanted.controls = ControlsOf(options->controls);
  return new (std::nothrow) fs_stream(to, wanted);
}
void fs_stream_destroy(fs_stream* stream) { delete stream; }

size_t fs_stream_send(fs_stream* stream, const float* samples, size_t count) { return stream->Send(samples, count); }
size_t fs_stream_room(const fs_stream* stream) { return stream->Room(); }
void fs_stream_skip(fs_stream* stream, int64_t count) { stream->Skip(count); }
void fs_stream_finish(fs_stream* stream) { stream->Finish(); }
void fs_stream_control(fs_stream* stream, const fs_controls* controls) { stream->Control(ControlsOf(*controls)); }
void fs_stream_flush(fs_stream* stream, int64_t marker_id) { stream->Flush(marker_id); }

int32_t fs_stream_read(fs_stream* stream, int64_t* frame_index, fs_face* face) {
  fs::Frame frame;
  if (!stream->TryRead(&frame)) return 0;
  *frame_index = frame.index;
  std::memcpy(face, &frame.face, sizeof frame.face);
  return 1;
}

int32_t fs_stream_read_event(fs_stream* stream, fs_event* event) {
  fs::Event found;
  if (!stream->TryReadEvent(&found)) return 0;
  *event = {found.kind, found.id, found.position, found.count};
  return 1;
}

int32_t fs_stream_state(const fs_stream* stream) { return static_cast<int32_t>(stream->state()); }

int32_t fs_stream_failure(const fs_stream* stream, char* message, size_t capacity) {
  const fs::Failure failure = stream->failure();
  Copy(failure.message, message, capacity);
  return failure.kind;
}

void fs_stream_get_info(const fs_stream* stream, fs_stream_info* info) {
  const fs::StreamInfo found = stream->info();
  *info = fs_stream_info();
  Copy(found.model, info->model, sizeof info->model);
  Copy(found.model_version, info->model_version, sizeof info->model_version);
  if (found.model.empty()) return;
  info->frame_rate_numerator = found.clock.rate.numerator;
  info->frame_rate_denominator = found.clock.rate.denominator;
  info->latency_samples = found.latency_samples;
  info->seed = found.seed;
}

int64_t fs_stream_lost_samples(const fs_stream* stream) { return stream->lost_samples(); }
int32_t fs_stream_resume_count(const fs_stream* stream) { return stream->resume_count(); }
