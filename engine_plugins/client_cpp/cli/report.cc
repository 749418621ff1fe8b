#include "report.h"

#include <cstdio>

#include "json.h"

namespace facestream::cli {
namespace {

void PutRow(std::FILE* file, const float* numbers, int count) {
  std::fputs("[", file);
  PutNumbers(file, numbers, count);
  std::fputs("]", file);
}

void PutFrame(std::FILE* file, const Frame& frame) {
  std::fprintf(file, "{\"index\": %lld, \"weights\": ", frame.index);
  PutRow(file, frame.face.weights, kCurveCount);
  std::fputs(", \"head\": ", file);
  PutRow(file, frame.face.head, 4);
  std::fputs(", \"left_eye\": ", file);
  PutRow(file, frame.face.left_eye, 4);
  std::fputs(", \"right_eye\": ", file);
  PutRow(file, frame.face.right_eye, 4);
  std::fputs("}", file);
}

}  // namespace

const char* NameOf(Failure::Kind kind) {
  static constexpr const char* kNames[] = {"",       "options",       "unreachable",  "tls",
                                           "denied", "other_version", "other_curves", "busy",
                                           "lost",   "time_limit",    "server"};
  return kNames[kind];
}

const char* NameOf(Event::Kind kind) {
  static constexpr const char* kNames[] = {"flush_done",     "gap",          "frames_dropped",
                                           "speech_started", "speech_ended", "ahead_of_real_time",
                                           "going_away",     "resumed"};
  return kNames[kind];
}

bool WriteReport(const std::string& path, const Run& run) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  std::fputs("{\n  \"client\": \"cpp\"", file);
  std::fprintf(file, ",\n  \"is_complete\": %s", run.state == State::kEnded ? "true" : "false");
  std::fprintf(file, ",\n  \"failure\": %s", Quoted(NameOf(run.failure.kind)).c_str());
  std::fprintf(file, ",\n  \"message\": %s", Quoted(run.failure.message).c_str());
  std::fprintf(file, ",\n  \"stream_id\": %s", Quoted(run.info.stream_id).c_str());
  std::fprintf(file, ",\n  \"model\": %s", Quoted(run.info.model).c_str());
  std::fprintf(file, ",\n  \"model_version\": %s", Quoted(run.info.model_version).c_str());
  std::fprintf(file, ",\n  \"sample_rate_hz\": %d", run.info.clock.sample_rate_hz);
  std::fprintf(file, ",\n  \"frame_rate\": [%d, %d]", run.info.clock.rate.numerator, run.info.clock.rate.denominator);
  std::fprintf(file, ",\n  \"latency_samples\": %lld", static_cast<long long>(run.info.latency_samples));
  std::fprintf(file, ",\n  \"seed\": %llu", static_cast<unsigned long long>(run.info.seed));
  std::fprintf(file, ",\n  \"resume_count\": %d", run.resume_count);
  std::fprintf(file, ",\n  \"lost_samples\": %lld", static_cast<long long>(run.lost_samples));
  std::fprintf(file, ",\n  \"started_s\": %.6f", run.started_s);
  PutList(file, "events", run.events, [&](const Event& event) {
    std::fprintf(file, "{\"kind\": \"%s\", \"id\": %lld, \"position\": %lld, \"count\": %lld}", NameOf(event.kind),
                 static_cast<long long>(event.id), static_cast<long long>(event.position),
                 static_cast<long long>(event.count));
  });
  PutList(file, "sent", run.sent, [&](const auto& sent) {
    std::fprintf(file, "[%lld, %.6f]", static_cast<long long>(sent.first), sent.second);
  });
  PutList(file, "decoded_s", run.decoded_s, [&](double time_s) { std::fprintf(file, "%.6f", time_s); });
  PutList(file, "frames", run.frames, [&](const Frame& frame) { PutFrame(file, frame); });
  std::fputs("\n}\n", file);
  return std::fclose(file) == 0;
}

}  // namespace facestream::cli
