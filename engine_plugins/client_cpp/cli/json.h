// Pieces of JSON, written to a file.
#pragma once

#include <cstdio>
#include <string>

namespace facestream::cli {

// `text` in quotes, with what must be escaped.
std::string Quoted(const std::string& text);

// Numbers with nine significant digits, and commas between them.
void PutNumbers(std::FILE* file, const float* numbers, int count);

// A member of an object, behind others: an array, an item a line, each written by `put`.
template <typename Items, typename Put>
void PutList(std::FILE* file, const char* name, const Items& items, const Put& put) {
  std::fprintf(file, ",\n  \"%s\": [", name);
  const char* before = "\n    ";
  for (const auto& item : items) {
    std::fputs(before, file);
    put(item);
    before = ",\n    ";
  }
  std::fputs("]", file);
}

}  // namespace facestream::cli
