#include "plan.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace facestream::conformance {
namespace {

// Whether the key is known, and its value of the right form.
bool Take(const std::string& key, const std::string& value, Case* one) {
  const char* text = value.c_str();
  long long first = 0, second = 0, third = 0;
  const int numbers = std::sscanf(text, "%lld,%lld,%lld", &first, &second, &third);
  if (key == "case") return one->name = value, true;
  if (key == "server") return one->server = value, true;
  if (key == "token") return one->token = value, true;
  if (key == "audio") return one->audio = value, true;
  if (key == "model") return one->model = value, true;
  if (key == "together") return one->together = value, true;
  if (key == "seed") return one->seed = std::strtoull(text, nullptr, 10), numbers == 1;
  if (key == "frame_rate") return one->frame_rate = static_cast<int>(first), numbers == 1;
  if (key == "slow_reader") return one->waits_for_reader = value == "wait", value == "wait" || value == "drop";
  if (key == "pace") return one->is_fast = value == "fast", value == "fast" || value == "live";
  if (key == "pause") return one->pause_sample = first, one->pause_ms = second, numbers == 2;
  if (key == "read_after") return one->read_after = first, numbers == 1;
  if (key == "cancel_after") return one->cancel_after = first, numbers == 1;
  if (key == "draw") return one->draw_step = first, one->draw_lead = second, one->draw_until = third, numbers == 3;
  if (key == "play") return one->play_delay_ms = first, numbers == 1;
  if (key == "lose") return one->lose_first = first, one->lose_count = second, numbers == 2;
  return false;
}

}  // namespace

std::string ReadPlan(const std::string& path, std::vector<Case>* cases) {
  std::ifstream file(path);
  if (!file) return path + ": can not be read";
  for (std::string line; std::getline(file, line);) {
    Case one;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      if (equals == std::string::npos || !Take(word.substr(0, equals), word.substr(equals + 1), &one)) {
        return path + ": not understood: " + word;
      }
    }
    cases->push_back(one);
  }
  return cases->empty() ? path + ": no cases" : "";
}

}  // namespace facestream::conformance
