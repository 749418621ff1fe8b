// WAV files: 16-bit and 24-bit integers, 32-bit floats.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace facestream::cli {

struct Recording {
  int sample_rate_hz = 0;
  int channel_count = 0;
  std::vector<float> values;  // interleaved, -1..1

  size_t sample_count() const { return values.size() / static_cast<size_t>(channel_count); }
};

// Reads `path`; what is wrong with it otherwise, in one sentence.
std::string ReadWav(const std::string& path, Recording* recording);

}  // namespace facestream::cli
