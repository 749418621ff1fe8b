// Pieces of JSON, written to a file.
#pragma once

#include <cstdio>
#include <string>

namespace facestream::cli {

// `text` in quotes, with what must be escaped.
std::string Quoted(const std::string& text);

// Numbers with nine significant digits, and commas between them.
void PutNumbers(std::FILE* file, const float* numbers, int count);

}  // namespace facestream::cli
