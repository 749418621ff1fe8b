// Open Sound Control 1.0: as much of it as VMC needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace facestream {

// Writes one bundle into memory of the caller's. A message that does not fit leaves the bundle as it was.
class OscBundleWriter {
 public:
  // `capacity` of at least 16 bytes.
  OscBundleWriter(uint8_t* data, size_t capacity);

  // Begins a message with arguments of these types, "sf" for a string and a float; the arguments follow in that order.
  void Begin(std::string_view address, std::string_view types);
  void Int(int32_t value);
  void Float(float value);
  void String(std::string_view text);
  // Ends the message; false where it did not fit.
  bool End();

  size_t size() const { return size_; }
  bool is_empty() const { return size_ == kHeaderSize; }

 private:
  static constexpr size_t kHeaderSize = 16;
  void Put(const void* bytes, size_t count);
  void PutWord(uint32_t word);
  void PutPadded(std::string_view text);

  uint8_t* data_;
  size_t capacity_, size_, end_;  // the bundle, and where the message being written has come to
  bool fits_ = true;
};

// One argument of a message. Text points into the packet.
struct OscArgument {
  char type = 0;  // i, f, s
  int32_t integer = 0;
  float number = 0;
  std::string_view text;
};

// A message with its arguments; those of other types than i, f and s are stepped over, more than 8 are left out.
struct OscMessage {
  static constexpr int kMostArguments = 8;
  std::string_view address;
  OscArgument arguments[kMostArguments];
  int argument_count = 0;
};

// Calls `take` for every message of a packet, bundles within bundles (4 deep) included. False where the bytes are no
// OSC packet; messages before the fault have been given then.
bool DecodeOsc(const uint8_t* data, size_t size, void (*take)(void* context, const OscMessage& message), void* context);

}  // namespace facestream
