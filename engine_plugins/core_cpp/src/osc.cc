#include "facestream/core/osc.h"

#include <cstring>

#include "big_endian.h"

namespace facestream {
namespace {

constexpr char kBundle[] = "#bundle";  // with its final zero, eight bytes
constexpr int kDeepest = 4;

// What is left of a packet; every step checks that it is there.
struct OscReader {
  const uint8_t* data;
  size_t left;

  bool Skip(size_t count) {
    if (count > left) return false;
    data += count;
    left -= count;
    return true;
  }

  bool Word(uint32_t* word) {
    if (left < 4) return false;
    *word = LoadWord(data);
    return Skip(4);
  }

  // Text, its zero, and zeros up to a multiple of four.
  bool Text(std::string_view* text) {
    const void* end = std::memchr(data, 0, left);
    if (left == 0 || end == nullptr) return false;
    const size_t length = static_cast<size_t>(static_cast<const uint8_t*>(end) - data);
    *text = {reinterpret_cast<const char*>(data), length};
    return Skip((length / 4 + 1) * 4);
  }

  bool Blob() {
    uint32_t length;
    return Word(&length) && length <= left && Skip((size_t{length} + 3) / 4 * 4);
  }

  // Reads an argument that messages of ours have, steps over others.
  bool Argument(char type, OscArgument* argument) {
    uint32_t word = 0;
    argument->type = type;
    switch (type) {
      case 'i':
        if (!Word(&word)) return false;
        argument->integer = BitsAs<int32_t>(word);
        return true;
      case 'f':
        if (!Word(&word)) return false;
        argument->number = BitsAs<float>(word);
        return true;
      case 's':
      case 'S':
        return Text(&argument->text);
      case 'b':
        return Blob();
      case 'c':
      case 'r':
      case 'm':
        return Skip(4);
      case 'h':
      case 't':
      case 'd':
        return Skip(8);
      case 'T':
      case 'F':
      case 'N':
      case 'I':
      case '[':
      case ']':
        return true;
      default:
        return false;
    }
  }
};

using Take = void (*)(void* context, const OscMessage& message);

bool DecodeMessage(OscReader reader, Take take, void* context) {
  OscMessage message;
  std::string_view types;
  if (!reader.Text(&message.address) || message.address.empty() || message.address[0] != '/') return false;
  if (reader.left > 0) {  // very old senders leave the types out where there are no arguments
    if (!reader.Text(&types) || types.empty() || types[0] != ',') return false;
    types.remove_prefix(1);
  }
  for (char type : types) {
    OscArgument argument;
    if (!reader.Argument(type, &argument)) return false;
    if (message.argument_count < OscMessage::kMostArguments) message.arguments[message.argument_count++] = argument;
  }
  take(context, message);
  return true;
}

bool DecodePacket(OscReader reader, int depth, Take take, void* context) {
  if (reader.left < sizeof kBundle || std::memcmp(reader.data, kBundle, sizeof kBundle) != 0) {
    return DecodeMessage(reader, take, context);
  }
  if (depth == kDeepest || !reader.Skip(sizeof kBundle + 8)) return false;
  while (reader.left > 0) {
    uint32_t size;
    if (!reader.Word(&size) || size > reader.left) return false;
    if (!DecodePacket({reader.data, size}, depth + 1, take, context)) return false;
    reader.Skip(size);
  }
  return true;
}

}  // namespace

OscBundleWriter::OscBundleWriter(uint8_t* data, size_t capacity)
    : data_(data), capacity_(capacity), size_(kHeaderSize), end_(kHeaderSize) {
  std::memcpy(data_, kBundle, sizeof kBundle);
  StoreWord(data_ + 8, 0);
  StoreWord(data_ + 12, 1);  // "at once"
}

void OscBundleWriter::Begin(std::string_view address, std::string_view types) {
  fits_ = true;
  end_ = size_;
  PutWord(0);  // the size, known at the end
  PutPadded(address);
  uint8_t tags[16] = {','};
  const size_t count = types.size() < sizeof tags - 2 ? types.size() : sizeof tags - 2;
  if (count > 0) std::memcpy(tags + 1, types.data(), count);
  PutPadded({reinterpret_cast<const char*>(tags), count + 1});
}

void OscBundleWriter::Int(int32_t value) { PutWord(BitsAs<uint32_t>(value)); }

void OscBundleWriter::Float(float value) { PutWord(BitsAs<uint32_t>(value)); }

void OscBundleWriter::String(std::string_view text) { PutPadded(text); }

bool OscBundleWriter::End() {
  if (!fits_) return false;
  StoreWord(data_ + size_, static_cast<uint32_t>(end_ - size_ - 4));
  size_ = end_;
  return true;
}

void OscBundleWriter::Put(const void* bytes, size_t count) {
  if (!fits_ || count > capacity_ - end_) {
    fits_ = false;
    return;
  }
  if (count > 0) std::memcpy(data_ + end_, bytes, count);
  end_ += count;
}

void OscBundleWriter::PutWord(uint32_t word) {
  uint8_t bytes[4];
  StoreWord(bytes, word);
  Put(bytes, sizeof bytes);
}

void OscBundleWriter::PutPadded(std::string_view text) {
  constexpr uint8_t kZeros[4] = {};
  Put(text.data(), text.size());
  Put(kZeros, 4 - text.size() % 4);
}

bool DecodeOsc(const uint8_t* data, size_t size, Take take, void* context) {
  return size > 0 && DecodePacket({data, size}, 0, take, context);
}

}  // namespace facestream
