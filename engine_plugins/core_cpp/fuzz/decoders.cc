// Any bytes from the network: read or refused, never worse, and what was read can be written and read again.

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "facestream/core/live_link.h"
#include "facestream/core/osc.h"
#include "facestream/core/vmc.h"

namespace {

void CheckLiveLink(const uint8_t* data, size_t size) {
  facestream::LiveLinkPacket packet, again;
  if (facestream::DecodeLiveLink(data, size, &packet) != facestream::LiveLinkError::kNone) return;
  uint8_t written[1024];
  const size_t length = facestream::EncodeLiveLink(packet, written, sizeof written);
  if (length == 0 || length > size || std::memcmp(written, data, length) != 0) std::abort();
  if (facestream::DecodeLiveLink(written, length, &again) != facestream::LiveLinkError::kNone) std::abort();
}

void CheckVmc(const uint8_t* data, size_t size) {
  struct Bounds {
    const char *begin, *end;
  } bounds{reinterpret_cast<const char*>(data), reinterpret_cast<const char*>(data) + size};
  facestream::DecodeVmc(
      data, size,
      [](void* context, const facestream::VmcMessage& message) {
        const Bounds& within = *static_cast<Bounds*>(context);
        const bool is_inside =
            message.name.data() >= within.begin && message.name.data() + message.name.size() <= within.end;
        if (!message.name.empty() && !is_inside) std::abort();
        for (float value : message.values) {
          if (value != value) std::abort();
        }
      },
      &bounds);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  CheckLiveLink(data, size);
  CheckVmc(data, size);
  return 0;
}
