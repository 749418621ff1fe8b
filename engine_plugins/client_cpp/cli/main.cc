// Streams a WAV to a server as a microphone would, and shows what comes back.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "facestream/client/stream.h"
#include "facestream/core/resampler.h"
#include "report.h"
#include "wav.h"

namespace facestream::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr char kUsage[] =
    "usage: facestream-cli HOST:PORT FILE.wav [options]\n"
    "  --model NAME         of the server's models; its default otherwise\n"
    "  --frame-rate N[/D]   frames a second, 24 to 60 (30)\n"
    "  --seed N             of blinks, gaze and sampled motion\n"
    "  --emotion NAME, --speaker NAME, --style NAME   for models that act\n"
    "  --token TOKEN        bearer token\n"
    "  --tls [ROOT.pem]     speak TLS; trust who signed with this, or the machine's own roots\n"
    "  --floats             send 32-bit floats\n"
    "  --fast               do not wait as a microphone would\n"
    "  --no-resume          give up where the connection breaks\n"
    "  --report FILE.json   write all frames, events and times\n"
    "  --quiet              print no frames\n";

struct Arguments {
  std::string wav, report;
  Connection connection;
  StreamOptions options;
  bool is_fast = false, is_quiet = false;
};

double SecondsOf(SteadyClock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

bool ReadFile(const std::string& path, std::string* text) {
  std::ifstream file(path, std::ios::binary);
  text->assign(std::istreambuf_iterator<char>(file), {});
  return static_cast<bool>(file);
}

bool Parse(int count, char** words, Arguments* arguments) {
  std::vector<std::string> places;
  const std::map<std::string, std::function<void(const std::string&)>> valued = {
      {"--model", [&](const std::string& word) { arguments->options.model = word; }},
      {"--seed", [&](const std::string& word) { arguments->options.seed = std::strtoull(word.c_str(), nullptr, 10); }},
      {"--emotion", [&](const std::string& word) { arguments->options.controls.emotion = word; }},
      {"--speaker", [&](const std::string& word) { arguments->options.controls.speaker = word; }},
      {"--style", [&](const std::string& word) { arguments->options.controls.style = word; }},
      {"--token", [&](const std::string& word) { arguments->connection.token = word; }},
      {"--report", [&](const std::string& word) { arguments->report = word; }},
      {"--frame-rate", [&](const std::string& word) {
         FrameRate& rate = arguments->options.frame_rate;
         rate.denominator = 1;
         std::sscanf(word.c_str(), "%d/%d", &rate.numerator, &rate.denominator);
       }}};
  for (int place = 1; place < count; ++place) {
    const std::string word = words[place];
    const auto found = valued.find(word);
    if (found != valued.end()) {
      if (++place == count) return false;
      found->second(words[place]);
    } else if (word == "--tls") {
      arguments->connection.has_tls = true;
      const bool has_roots = place + 1 < count && words[place + 1][0] != '-' && places.size() == 2;
      if (has_roots && !ReadFile(words[++place], &arguments->connection.root_certificates)) {
        std::fprintf(stderr, "%s: can not be read\n", words[place]);
        return false;
      }
    } else if (word == "--floats") {
      arguments->options.sends_floats = true;
    } else if (word == "--fast") {
      arguments->is_fast = true;
      arguments->options.waits_for_reader = true;
    } else if (word == "--no-resume") {
      arguments->connection.has_resume = false;
    } else if (word == "--quiet") {
      arguments->is_quiet = true;
    } else if (word[0] == '-') {
      std::fprintf(stderr, "no option %s\n", word.c_str());
      return false;
    } else {
      places.push_back(word);
    }
  }
  if (places.size() != 2) return false;
  arguments->connection.target = places[0];
  arguments->wav = places[1];
  return true;
}

// What servers take goes up to 144 kHz.
void BringDown(Recording* recording) {
  constexpr int kHighestHz = 144000, kUsualHz = 48000;
  if (recording->sample_rate_hz <= kHighestHz || !Resampler::Accepts(recording->sample_rate_hz)) return;
  std::vector<float> mono(recording->sample_count());
  MixToMono(recording->values.data(), mono.size(), recording->channel_count, mono.data());
  Resampler resampler(recording->sample_rate_hz, kUsualHz);
  recording->values.resize(resampler.MostOutputs(mono.size()) + resampler.MostOutputs(resampler.delay_samples()));
  size_t made = resampler.Push(mono.data(), mono.size(), recording->values.data());
  made += resampler.Flush(recording->values.data() + made);
  recording->values.resize(made);
  recording->sample_rate_hz = kUsualHz;
  recording->channel_count = 1;
}

// The audio thread of this program: each piece when its last sample would have been captured.
void Speak(const Recording& recording, bool is_fast, Stream& stream, Run* run) {
  const size_t piece = static_cast<size_t>(recording.sample_rate_hz) / 25;
  const SteadyClock::time_point started = SteadyClock::now();
  run->started_s = SecondsOf(started);
  for (size_t first = 0; first < recording.sample_count(); first += piece) {
    const size_t count = std::min(piece, recording.sample_count() - first);
    const std::chrono::duration<double> captured(static_cast<double>(first + count) / recording.sample_rate_hz);
    if (!is_fast) std::this_thread::sleep_until(started + std::chrono::duration_cast<SteadyClock::duration>(captured));
    while (is_fast && stream.Room() < count && stream.state() != State::kFailed) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    if (stream.state() == State::kFailed) return;
    run->sent.emplace_back(static_cast<int64_t>(first + count), SecondsOf(SteadyClock::now()));
    stream.Send(recording.values.data() + first * static_cast<size_t>(recording.channel_count), count);
  }
  stream.Finish();
}

// The three strongest curves, as text.
void Print(const Frame& frame, const FrameClock& clock) {
  int order[kCurveCount];
  for (int curve = 0; curve < kCurveCount; ++curve) order[curve] = curve;
  std::partial_sort(order, order + 3, order + kCurveCount,
                    [&](int one, int other) { return frame.face.weights[one] > frame.face.weights[other]; });
  std::printf("%6lld %8.3f s", frame.index, static_cast<double>(clock.SampleOf(frame.index)) / clock.sample_rate_hz);
  for (int place = 0; place < 3; ++place) {
    std::printf("  %s %.2f", kCurveNames[order[place]], static_cast<double>(frame.face.weights[order[place]]));
  }
  std::printf("\n");
}

void Drain(Stream& stream, bool is_quiet, Run* run) {
  int64_t decoded_ns = 0;
  for (Frame frame; stream.TryRead(&frame, &decoded_ns);) {
    run->frames.push_back(frame);
    run->decoded_s.push_back(static_cast<double>(decoded_ns) * 1e-9);
    if (!is_quiet) Print(frame, stream.info().clock);
  }
  for (Event event; stream.TryReadEvent(&event);) run->events.push_back(event);
}

int Main(int count, char** words) {
  ::setenv("GRPC_VERBOSITY", "NONE", 0);  // one message a fault, this program's own
  Arguments arguments;
  if (!Parse(count, words, &arguments)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  Recording recording;
  const std::string problem = ReadWav(arguments.wav, &recording);
  if (!problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 2;
  }
  BringDown(&recording);
  arguments.options.sample_rate_hz = recording.sample_rate_hz;
  arguments.options.channel_count = recording.channel_count;

  Run run;
  {
    Stream stream(arguments.connection, arguments.options);
    while (stream.state() == State::kConnecting) stream.Wait(100);
    std::thread speaker([&] { Speak(recording, arguments.is_fast, stream, &run); });
    while (stream.state() != State::kEnded && stream.state() != State::kFailed) {
      Drain(stream, arguments.is_quiet, &run);
      stream.Wait(100);
    }
    speaker.join();
    Drain(stream, arguments.is_quiet, &run);
    run.info = stream.info();
    run.state = stream.state();
    run.failure = stream.failure();
    run.resume_count = stream.resume_count();
    run.lost_samples = stream.lost_samples();
  }
  if (!arguments.report.empty() && !WriteReport(arguments.report, run)) {
    std::fprintf(stderr, "%s: can not be written\n", arguments.report.c_str());
    return 2;
  }
  if (run.state == State::kFailed) std::fprintf(stderr, "facestream: %s\n", run.failure.message.c_str());
  return run.state == State::kEnded ? 0 : 1;
}

}  // namespace
}  // namespace facestream::cli

int main(int count, char** words) { return facestream::cli::Main(count, words); }
