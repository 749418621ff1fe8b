// The plan of a conformance run: engine_plugins/conformance/README.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace facestream::conformance {

struct Case {
  std::string name, server, token, audio, model, together;
  uint64_t seed = 0;
  int frame_rate = 30;
  bool waits_for_reader = false, is_fast = false;
  int64_t pause_sample = -1, pause_ms = 0;
  int64_t read_after = 0;
  int64_t cancel_after = -1;                             // frames
  int64_t draw_step = 0, draw_lead = 0, draw_until = 0;  // samples; no drawing where the step is 0
  int64_t play_delay_ms = -1;                            // no playing where negative
  int64_t lose_first = 0, lose_count = 0;                // frames
};

// Reads `path`; what is wrong with it otherwise, in one sentence.
std::string ReadPlan(const std::string& path, std::vector<Case>* cases);

}  // namespace facestream::conformance
