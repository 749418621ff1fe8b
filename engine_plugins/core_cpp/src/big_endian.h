// Numbers as networks write them.
#pragma once

#include <cstdint>
#include <cstring>

namespace facestream {

inline uint32_t LoadWord(const uint8_t* data) {
  return uint32_t{data[0]} << 24 | uint32_t{data[1]} << 16 | uint32_t{data[2]} << 8 | data[3];
}

inline void StoreWord(uint8_t* data, uint32_t word) {
  for (int shift = 24; shift >= 0; shift -= 8) *data++ = static_cast<uint8_t>(word >> shift);
}

// The same 32 bits as another type.
template <typename To, typename From>
To BitsAs(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace facestream
