#include "wav.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>

namespace facestream::cli {
namespace {

constexpr uint32_t kPcm = 1, kFloat = 3, kExtensible = 0xfffe;

uint32_t Little(const uint8_t* data, int bytes) {
  uint32_t value = 0;
  for (int place = bytes - 1; place >= 0; --place) value = value << 8 | data[place];
  return value;
}

float ValueOf(const uint8_t* data, int bits) {
  if (bits == 16) return static_cast<float>(static_cast<int16_t>(Little(data, 2))) / 32768.0f;
  if (bits == 24) return static_cast<float>(static_cast<int32_t>(Little(data, 3) << 8)) / 2147483648.0f;
  const uint32_t word = Little(data, 4);
  float value;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

bool IsChunk(const uint8_t* data, const char* name) { return std::memcmp(data, name, 4) == 0; }

}  // namespace

std::string ReadWav(const std::string& path, Recording* recording) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return path + ": can not be read";
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() < 12 || !IsChunk(bytes.data(), "RIFF") || !IsChunk(bytes.data() + 8, "WAVE")) {
    return path + ": no WAV file";
  }
  uint32_t format = 0;
  int bits = 0;
  for (size_t place = 12; place + 8 <= bytes.size();) {
    const uint8_t* chunk = bytes.data() + place + 8;
    const size_t size = std::min<size_t>(Little(chunk - 4, 4), bytes.size() - place - 8);
    if (IsChunk(chunk - 8, "fmt ") && size >= 16) {
      format = Little(chunk, 2);
      if (format == kExtensible && size >= 26) format = Little(chunk + 24, 2);
      recording->channel_count = static_cast<int>(Little(chunk + 2, 2));
      recording->sample_rate_hz = static_cast<int>(Little(chunk + 4, 4));
      bits = static_cast<int>(Little(chunk + 14, 2));
    } else if (IsChunk(chunk - 8, "data")) {
      const bool is_known = (format == kPcm && (bits == 16 || bits == 24)) || (format == kFloat && bits == 32);
      if (!is_known || recording->channel_count < 1) {
        return path + ": format " + std::to_string(format) + " of " + std::to_string(bits) +
               " bits; allowed: integers of 16 or 24 bits, floats of 32";
      }
      const size_t step = static_cast<size_t>(bits) / 8;
      const size_t count = size / step / static_cast<size_t>(recording->channel_count);
      recording->values.resize(count * static_cast<size_t>(recording->channel_count));
      for (size_t value = 0; value < recording->values.size(); ++value) {
        recording->values[value] = ValueOf(chunk + value * step, bits);
      }
      return count > 0 ? "" : path + ": no samples";
    }
    place += 8 + size + size % 2;
  }
  return path + ": a WAV file without samples";
}

}  // namespace facestream::cli
