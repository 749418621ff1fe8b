#include "report.h"

#include <cstdio>
#include <cstring>

#include "../cli/json.h"
#include "facestream/core/curves.h"

namespace facestream::conformance {
namespace {

using cli::PutList;
using cli::PutNumbers;
using cli::Quoted;

const char* WordFor(Failure::Kind kind) {
  switch (kind) {
    case Failure::kNone:
      return "";
    case Failure::kOptions:
      return "options";
    case Failure::kUnreachable:
    case Failure::kBusy:
    case Failure::kLost:
      return "unavailable";
    case Failure::kTls:
      return "tls";
    case Failure::kDenied:
      return "denied";
    case Failure::kOtherVersion:
    case Failure::kOtherCurves:
      return "protocol";
    case Failure::kTimeLimit:
      return "time_limit";
    case Failure::kServer:
      return "server";
  }
  return "server";
}

void PutEvent(std::FILE* file, const Event& event) {
  static constexpr const char* kNames[] = {"flush_done",     "gap",          "frames_dropped",
                                           "speech_started", "speech_ended", "ahead_of_real_time",
                                           "going_away",     "resumed"};
  const bool has_id = event.kind == Event::kFlushDone;
  const bool has_position = event.kind != Event::kFlushDone && event.kind != Event::kGoingAway;
  const bool has_count = event.kind != Event::kGoingAway;
  std::fprintf(file, "[\"%s\", %lld, %lld]", kNames[event.kind],
               has_position ? static_cast<long long>(event.position) : 0,
               static_cast<long long>(has_id      ? event.id
                                      : has_count ? event.count
                                                  : 0));
}

void PutFace(std::FILE* file, const Face& face) {
  float numbers[64];
  std::memcpy(numbers, &face, sizeof numbers);  // rotations stand behind the weights
  std::fputs(", ", file);
  PutNumbers(file, numbers, 64);
  std::fputs("]", file);
}

void PutOutcome(std::FILE* file, const Case& one, const Outcome& outcome) {
  const bool has_failed = outcome.failure.kind != Failure::kNone;
  const char* status = outcome.was_cancelled ? "cancelled" : has_failed ? "failed" : "finished";
  std::fprintf(file, "%s: {\"status\": \"%s\", \"failure\": \"%s\", \"message\": %s", Quoted(one.name).c_str(), status,
               WordFor(outcome.failure.kind), Quoted(outcome.failure.message).c_str());
  std::fprintf(file, ", \"latency_samples\": %lld, \"resumes\": %d, \"lost_samples\": %lld",
               static_cast<long long>(outcome.info.latency_samples), outcome.resume_count,
               static_cast<long long>(outcome.lost_samples));
  std::vector<const char*> names;
  if (!outcome.frames.empty()) names.assign(kCurveNames, kCurveNames + kCurveCount);
  PutList(file, "curve_names", names, [&](const char* name) { std::fprintf(file, "\"%s\"", name); });
  std::vector<Event> told;  // the client's own word for a resumption stands in `resumes`
  for (const Event& event : outcome.events) {
    if (event.kind != Event::kResumed) told.push_back(event);
  }
  PutList(file, "events", told, [&](const Event& event) { PutEvent(file, event); });
  PutList(file, "frames", outcome.frames, [&](const Frame& frame) {
    std::fprintf(file, "[%lld, %lld", frame.index, static_cast<long long>(outcome.info.clock.SampleOf(frame.index)));
    PutFace(file, frame.face);
  });
  PutList(file, "drawn", outcome.drawn, [&](const Drawn& drawn) {
    std::fprintf(file, "[%lld, %d", static_cast<long long>(drawn.position), drawn.is_starved ? 1 : 0);
    PutFace(file, drawn.face);
  });
  PutList(file, "pictures", outcome.pictures, [&](const Picture& picture) {
    std::fprintf(file, "[%lld, %.1f, %d, %.6f]", static_cast<long long>(picture.position), picture.audible,
                 picture.is_starved ? 1 : 0, static_cast<double>(picture.jaw));
  });
  std::fputs("}", file);
}

}  // namespace

bool WriteReport(const std::string& path, const std::vector<Case>& cases, const std::vector<Outcome>& outcomes) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  std::fputs("{\"client\": \"cpp\", \"transport\": \"grpc\", \"cases\": {\n", file);
  for (size_t place = 0; place < cases.size(); ++place) {
    if (place > 0) std::fputs(",\n", file);
    PutOutcome(file, cases[place], outcomes[place]);
  }
  std::fputs("\n}}\n", file);
  return std::fclose(file) == 0;
}

}  // namespace facestream::conformance
