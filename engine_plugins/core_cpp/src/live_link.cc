#include "facestream/core/live_link.h"

#include <cmath>
#include <cstring>

#include "big_endian.h"

namespace facestream {
namespace {

constexpr uint8_t kVersion = 6;
constexpr size_t kFixedSize = 1 + 4 + 4 + 4 + 4 + 4 + 4 + 1 + 4 * kLiveLinkCount;

uint8_t* PutWord(uint8_t* to, uint32_t word) {
  StoreWord(to, word);
  return to + 4;
}

uint8_t* PutFloat(uint8_t* to, float value) { return PutWord(to, BitsAs<uint32_t>(value)); }

uint8_t* PutText(uint8_t* to, std::string_view text) {
  to = PutWord(to, static_cast<uint32_t>(text.size()));
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

// What is left of a datagram.
struct DatagramReader {
  const uint8_t* data;
  size_t left;

  bool Word(uint32_t* word) {
    if (left < 4) return false;
    *word = LoadWord(data);
    data += 4;
    left -= 4;
    return true;
  }

  bool Int(int32_t* value) {
    uint32_t word;
    if (!Word(&word)) return false;
    *value = BitsAs<int32_t>(word);
    return true;
  }

  bool Float(float* value) {
    uint32_t word;
    if (!Word(&word)) return false;
    *value = BitsAs<float>(word);
    return true;
  }

  LiveLinkError Text(std::string_view* text) {
    int32_t length;
    if (!Int(&length)) return LiveLinkError::kTooShort;
    if (length < 0 || static_cast<size_t>(length) > kLiveLinkLongestName) return LiveLinkError::kBadLength;
    if (static_cast<size_t>(length) > left) return LiveLinkError::kTooShort;
    *text = {reinterpret_cast<const char*>(data), static_cast<size_t>(length)};
    data += length;
    left -= static_cast<size_t>(length);
    return LiveLinkError::kNone;
  }
};

}  // namespace

LiveLinkTime LiveLinkTimeOf(int64_t ns_since_midnight) {
  constexpr int64_t kDayNs = 86400LL * 1000000000LL;
  const int64_t ns = (ns_since_midnight % kDayNs + kDayNs) % kDayNs;
  const int64_t sixtieths = ns * 60;
  LiveLinkTime time;
  time.frame = static_cast<int32_t>(sixtieths / 1000000000LL);
  time.sub_frame = static_cast<float>(static_cast<double>(sixtieths % 1000000000LL) * 1e-9);
  return time;
}

size_t EncodeLiveLink(const LiveLinkPacket& packet, uint8_t* data, size_t capacity) {
  if (packet.device_id.size() > kLiveLinkLongestName || packet.subject.size() > kLiveLinkLongestName) return 0;
  const size_t values = packet.has_face ? 0 : 1 + 4 * size_t{kLiveLinkCount};
  const size_t size = kFixedSize - values + packet.device_id.size() + packet.subject.size();
  if (capacity < size) return 0;
  uint8_t* to = data;
  *to++ = kVersion;
  to = PutText(to, packet.device_id);
  to = PutText(to, packet.subject);
  to = PutWord(to, static_cast<uint32_t>(packet.time.frame));
  to = PutFloat(to, packet.time.sub_frame);
  to = PutWord(to, static_cast<uint32_t>(packet.time.rate_numerator));
  to = PutWord(to, static_cast<uint32_t>(packet.time.rate_denominator));
  if (packet.has_face) {
    *to++ = kLiveLinkCount;
    for (float value : packet.values) to = PutFloat(to, value);
  }
  return size;
}

LiveLinkError DecodeLiveLink(const uint8_t* data, size_t size, LiveLinkPacket* packet) {
  if (size < 1) return LiveLinkError::kTooShort;
  if (data[0] != kVersion) return LiveLinkError::kWrongVersion;
  DatagramReader reader{data + 1, size - 1};
  LiveLinkError error = reader.Text(&packet->device_id);
  if (error == LiveLinkError::kNone) error = reader.Text(&packet->subject);
  if (error != LiveLinkError::kNone) return error;
  LiveLinkTime& time = packet->time;
  if (!reader.Int(&time.frame) || !reader.Float(&time.sub_frame) || !reader.Int(&time.rate_numerator) ||
      !reader.Int(&time.rate_denominator)) {
    return LiveLinkError::kTooShort;
  }
  if (!std::isfinite(time.sub_frame) || time.rate_numerator <= 0 || time.rate_denominator <= 0) {
    return LiveLinkError::kBadTime;
  }
  packet->has_face = reader.left > 0;
  if (!packet->has_face) return LiveLinkError::kNone;
  if (reader.data[0] != kLiveLinkCount) return LiveLinkError::kWrongCount;
  reader.data += 1;
  reader.left -= 1;
  for (float& value : packet->values) {
    if (!reader.Float(&value)) return LiveLinkError::kTooShort;
    if (!std::isfinite(value)) return LiveLinkError::kNotFinite;
  }
  return LiveLinkError::kNone;
}

}  // namespace facestream
