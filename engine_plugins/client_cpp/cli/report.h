// What a run was and gave, as JSON: the form that the tests of every client read.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "facestream/client/stream.h"

namespace facestream::cli {

struct Run {
  StreamInfo info;
  State state = State::kConnecting;
  Failure failure;
  int resume_count = 0;
  int64_t lost_samples = 0;
  std::vector<Frame> frames;
  std::vector<Event> events;
  std::vector<double> decoded_s;                 // of each frame, seconds of one clock
  std::vector<std::pair<int64_t, double>> sent;  // samples so far, and when
  double started_s = 0;
};

// Writes the report; false where the file can not be written.
bool WriteReport(const std::string& path, const Run& run);

// One word for a failure, an event.
const char* NameOf(Failure::Kind kind);
const char* NameOf(Event::Kind kind);

}  // namespace facestream::cli
