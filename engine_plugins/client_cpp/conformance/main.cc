// Plays the conformance scenario with this client: facestream-conformance plan.txt report.json

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "../cli/wav.h"
#include "facestream/client/stream.h"
#include "facestream/core/jitter_buffer.h"
#include "facestream/core/presentation_clock.h"
#include "plan.h"
#include "report.h"

namespace facestream::conformance {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr size_t kDrawingRoom = 256;  // frames
constexpr int kAudioRoomMs = 30000;   // a busy machine is no fault of the client
constexpr int kAheadMs = 1000;        // waits to be sent at most, where there is no pace

bool IsOver(const Stream& stream) { return stream.state() == State::kEnded || stream.state() == State::kFailed; }

struct Speech {
  std::atomic<int64_t> begun_ns{0};  // of the steady clock
  std::atomic<int64_t> sent{0};      // samples
  std::atomic<bool> is_wanted{true};
};

void Speak(const Case& one, const cli::Recording& recording, Stream& stream, Speech* speech) {
  const auto piece = static_cast<int64_t>(recording.sample_rate_hz) / 25;
  const auto length = static_cast<int64_t>(recording.sample_count());
  const size_t room = static_cast<size_t>(recording.sample_rate_hz) * (kAudioRoomMs - kAheadMs) / 1000;
  auto begun = SteadyClock::now();
  speech->begun_ns = std::chrono::nanoseconds(begun.time_since_epoch()).count();
  for (int64_t first = 0; first < length; first += piece) {
    const int64_t count = std::min(piece, length - first);
    if (first <= one.pause_sample && one.pause_sample < first + piece) {
      std::this_thread::sleep_for(Milliseconds(one.pause_ms));
      begun += Milliseconds(one.pause_ms);
    }
    const std::chrono::duration<double> captured(static_cast<double>(first + count) / recording.sample_rate_hz);
    if (!one.is_fast)
      std::this_thread::sleep_until(begun + std::chrono::duration_cast<SteadyClock::duration>(captured));
    while (one.is_fast && stream.Room() < room && !IsOver(stream)) {
      std::this_thread::sleep_for(Milliseconds(1));
    }
    if (IsOver(stream) || !speech->is_wanted) break;
    stream.Send(recording.values.data() + first, static_cast<size_t>(count));
    speech->sent = first + count;
  }
  stream.Finish();
  speech->sent = length;
}

void Draw(const Case& one, Outcome* outcome) {
  const FrameClock& clock = outcome->info.clock;
  JitterBuffer buffer(clock, kDrawingRoom);
  size_t next = 0;
  for (int64_t position = 0; position < one.draw_until; position += one.draw_step) {
    for (; next < outcome->frames.size(); ++next) {
      const Frame& frame = outcome->frames[next];
      const bool is_lost = frame.index >= one.lose_first && frame.index < one.lose_first + one.lose_count;
      if (clock.SampleOf(frame.index) > position + one.draw_lead) break;
      if (!is_lost) buffer.Add(frame);
    }
    const Face face = buffer.At(position);
    outcome->drawn.push_back({position, buffer.is_starved(), face});
  }
}

// Reads until the stream is over or to be cancelled.
void Listen(const Case& one, Stream& stream, Outcome* outcome) {
  for (bool is_over = false; !is_over && !outcome->was_cancelled;) {
    is_over = IsOver(stream);  // before reading: what came until then is read below
    for (Frame frame; !outcome->was_cancelled && stream.TryRead(&frame);) {
      outcome->frames.push_back(frame);
      outcome->was_cancelled = static_cast<int64_t>(outcome->frames.size()) == one.cancel_after;
    }
    for (Event event; stream.TryReadEvent(&event);) outcome->events.push_back(event);
    if (!is_over) stream.Wait(20);
  }
}

int64_t NowNs() { return std::chrono::nanoseconds(SteadyClock::now().time_since_epoch()).count(); }

// A game: the sound is heard some time after its capture, from a device that takes 20 ms at a time; a picture 60 times
// a second shows the face of the moment.
void Present(const Case& one, const cli::Recording& recording, Stream& stream, const Speech& speech, Outcome* outcome) {
  constexpr int64_t kSecondNs = 1000000000, kMsNs = 1000000, kPicturesASecond = 60;
  const int64_t rate = recording.sample_rate_hz, buffer_samples = rate / 50;
  while (speech.begun_ns == 0) std::this_thread::sleep_for(Milliseconds(1));
  const int64_t heard_ns = speech.begun_ns + one.play_delay_ms * kMsNs;  // when the first sample is
  const int64_t end_ns = heard_ns + static_cast<int64_t>(recording.sample_count()) * kSecondNs / rate;
  const int jaw = CurveIndex("jawOpen");
  JitterBuffer buffer(FrameClock{{one.frame_rate, 1}, recording.sample_rate_hz}, kDrawingRoom);
  // a buffer is heard as soon as the one before it is over: its last sample, two buffers behind its hand-over
  PresentationClock clock(recording.sample_rate_hz, 2 * buffer_samples);
  int64_t handed_over = 0;
  for (int64_t picture = 0; NowNs() < end_ns && !IsOver(stream); ++picture) {
    const SteadyClock::time_point due{std::chrono::nanoseconds(heard_ns + picture * kSecondNs / kPicturesASecond)};
    std::this_thread::sleep_until(due);
    const int64_t now_ns = NowNs();
    for (int64_t at = heard_ns + (handed_over - buffer_samples) * kSecondNs / rate; at <= now_ns;
         at += buffer_samples * kSecondNs / rate) {
      clock.Report(handed_over += buffer_samples, at);
    }
    for (Frame frame; !buffer.is_full() && stream.TryRead(&frame);) buffer.Add(frame);
    const int64_t position = clock.PositionAt(now_ns);
    if (position < 0) continue;
    const Face face = buffer.At(position);
    const double audible = static_cast<double>(now_ns - heard_ns) * static_cast<double>(rate) / kSecondNs;
    outcome->pictures.push_back({position, audible, buffer.is_starved(), face.weights[jaw]});
  }
}

void Play(const Case& one, const cli::Recording& recording, Outcome* outcome) {
  Connection connection;
  connection.target = one.server;
  connection.token = one.token;
  StreamOptions options;
  options.sample_rate_hz = recording.sample_rate_hz;
  options.frame_rate = {one.frame_rate, 1};
  options.model = one.model;
  options.seed = one.seed;
  options.waits_for_reader = one.waits_for_reader;
  options.audio_room_ms = kAudioRoomMs;
  Speech speech;
  {
    Stream stream(connection, options);
    while (stream.state() == State::kConnecting) stream.Wait(100);
    std::thread speaker([&] { Speak(one, recording, stream, &speech); });
    while (speech.sent < one.read_after) std::this_thread::sleep_for(Milliseconds(1));
    if (one.play_delay_ms >= 0) {
      Present(one, recording, stream, speech, outcome);
    } else {
      Listen(one, stream, outcome);
    }
    outcome->info = stream.info();
    if (!outcome->was_cancelled) outcome->failure = stream.failure();
    outcome->resume_count = stream.resume_count();
    outcome->lost_samples = stream.lost_samples();
    speech.is_wanted = false;
    speaker.join();
  }
  if (one.draw_step > 0) Draw(one, outcome);
}

int Main(int count, char** words) {
  ::setenv("GRPC_VERBOSITY", "NONE", 0);
  if (count != 3) {
    std::fputs("usage: facestream-conformance plan.txt report.json\n", stderr);
    return 2;
  }
  std::vector<Case> cases;
  std::string problem = ReadPlan(words[1], &cases);
  std::vector<cli::Recording> recordings(cases.size());
  for (size_t place = 0; problem.empty() && place < cases.size(); ++place) {
    problem = cli::ReadWav(cases[place].audio, &recordings[place]);
  }
  if (!problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 2;
  }
  std::vector<Outcome> outcomes(cases.size());
  std::vector<std::thread> players;  // all at once, so also those that must be
  for (size_t place = 0; place < cases.size(); ++place) {
    players.emplace_back([&, place] { Play(cases[place], recordings[place], &outcomes[place]); });
  }
  for (std::thread& player : players) player.join();
  if (!WriteReport(words[2], cases, outcomes)) {
    std::fprintf(stderr, "%s: can not be written\n", words[2]);
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace facestream::conformance

int main(int count, char** words) { return facestream::conformance::Main(count, words); }
