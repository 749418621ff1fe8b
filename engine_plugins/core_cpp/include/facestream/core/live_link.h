// Live Link Face packets, version 6: one UDP datagram a frame, by default to port 11111 of Unreal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "facestream/core/curves.h"

namespace facestream {

inline constexpr uint16_t kLiveLinkPort = 11111;

// When a frame was: whole frames since midnight at a rate, and 0..1 of the next one.
struct LiveLinkTime {
  int32_t frame = 0;
  float sub_frame = 0;
  int32_t rate_numerator = 60;
  int32_t rate_denominator = 1;
};

// The time `ns_since_midnight` in frames of 1/60 s; wraps at midnight.
LiveLinkTime LiveLinkTimeOf(int64_t ns_since_midnight);

// One datagram. Strings of a decoded one point into it.
struct LiveLinkPacket {
  std::string_view device_id;  // a UUID of 36 characters: some receivers take nothing else
  std::string_view subject;
  LiveLinkTime time;
  bool has_face = true;               // false for "no face in this frame": the values mean nothing
  float values[kLiveLinkCount] = {};  // as rotation.h's LiveLinkValues
};

enum class LiveLinkError { kNone, kTooShort, kWrongVersion, kBadLength, kBadTime, kWrongCount, kNotFinite };

// Bytes of the datagram. 0 where `capacity` is too small or a string longer than kLiveLinkLongestName.
inline constexpr size_t kLiveLinkLongestName = 255;
size_t EncodeLiveLink(const LiveLinkPacket& packet, uint8_t* data, size_t capacity);

// Reads any bytes; on an error `packet` holds nothing to rely on. Bytes behind the values are ignored.
LiveLinkError DecodeLiveLink(const uint8_t* data, size_t size, LiveLinkPacket* packet);

}  // namespace facestream
