#include "json.h"

namespace facestream::cli {

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    char escape[8];
    if (letter == '"' || letter == '\\') {
      quoted += '\\';
      quoted += letter;
    } else if (code < 0x20) {
      std::snprintf(escape, sizeof escape, "\\u%04x", code);
      quoted += escape;
    } else {
      quoted += letter;
    }
  }
  return quoted + "\"";
}

void PutNumbers(std::FILE* file, const float* numbers, int count) {
  for (int place = 0; place < count; ++place) {
    std::fprintf(file, place == 0 ? "%.9g" : ", %.9g", static_cast<double>(numbers[place]));
  }
}

}  // namespace facestream::cli
