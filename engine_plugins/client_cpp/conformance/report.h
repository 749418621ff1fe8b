// The report of a conformance run: engine_plugins/conformance/README.md.
#pragma once

#include <string>
#include <vector>

#include "facestream/client/stream.h"
#include "plan.h"

namespace facestream::conformance {

struct Drawn {
  int64_t position;
  bool is_starved;
  Face face;
};

// A picture of a stream that is played: what the client's clock said is heard, and what truly was, in samples.
struct Picture {
  int64_t position;
  double audible;
  bool is_starved;
  float jaw;
};

struct Outcome {
  bool was_cancelled = false;
  Failure failure;
  StreamInfo info;
  std::vector<Frame> frames;
  std::vector<Event> events;
  int resume_count = 0;
  int64_t lost_samples = 0;
  std::vector<Drawn> drawn;
  std::vector<Picture> pictures;
};

// Writes what came of each case; false where the file can not be written.
bool WriteReport(const std::string& path, const std::vector<Case>& cases, const std::vector<Outcome>& outcomes);

}  // namespace facestream::conformance
