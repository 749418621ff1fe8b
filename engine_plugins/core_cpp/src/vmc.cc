#include "facestream/core/vmc.h"

#include <algorithm>
#include <cmath>

#include "facestream/core/osc.h"
#include "facestream/core/rotation.h"
#include "facestream/core/visemes.h"

namespace facestream {
namespace {

constexpr std::string_view kOkAddress = "/VMC/Ext/OK", kTimeAddress = "/VMC/Ext/T",
                           kBlendAddress = "/VMC/Ext/Blend/Val", kApplyAddress = "/VMC/Ext/Blend/Apply",
                           kBoneAddress = "/VMC/Ext/Bone/Pos", kRootAddress = "/VMC/Ext/Root/Pos";

// Fills datagrams one after the other, and sends each when the next message does not fit.
class PacketSender {
 public:
  PacketSender(SendPacket send, void* context) : send_(send), context_(context), bundle_(data_, sizeof data_) {}

  // `write` puts one message into the bundle, and says whether it fitted. Every one of ours fits an empty bundle.
  template <typename Write>
  void Put(const Write& write) {
    if (write(bundle_)) return;
    Flush();
    write(bundle_);
  }

  void Flush() {
    if (!bundle_.is_empty()) send_(context_, data_, bundle_.size());
    bundle_ = OscBundleWriter(data_, sizeof data_);
  }

  void Blend(std::string_view name, float value) {
    Put([&](OscBundleWriter& bundle) {
      bundle.Begin(kBlendAddress, "sf");
      bundle.String(name);
      bundle.Float(value);
      return bundle.End();
    });
  }

  void Bone(std::string_view name, const float rotation[4]) {
    float turned[4];
    ToUnity(rotation, turned);
    Put([&](OscBundleWriter& bundle) {
      bundle.Begin(kBoneAddress, "sfffffff");
      bundle.String(name);
      for (int axis = 0; axis < 3; ++axis) bundle.Float(0);
      for (float part : turned) bundle.Float(part);
      return bundle.End();
    });
  }

 private:
  SendPacket send_;
  void* context_;
  uint8_t data_[kVmcLargestPacket];
  OscBundleWriter bundle_;
};

void PutPresets(const Face& face, const char* const names[7], PacketSender& sender) {
  constexpr int kVowels[5] = {10, 12, 14, 11, 13};  // aa ih ou E oh, in the order of "A I U E O"
  float visemes[kVisemeCount];
  Visemes(face.weights, visemes);
  for (int vowel = 0; vowel < 5; ++vowel) sender.Blend(names[vowel], visemes[kVowels[vowel]]);
  sender.Blend(names[5], face.weights[0]);  // eyeBlinkLeft
  sender.Blend(names[6], face.weights[7]);  // eyeBlinkRight
}

bool Numbers(const OscMessage& message, int first, int count, float* values) {
  if (message.argument_count < first + count) return false;
  for (int place = 0; place < count; ++place) {
    const OscArgument& argument = message.arguments[first + place];
    if (argument.type != 'f' || !std::isfinite(argument.number)) return false;
    values[place] = argument.number;
  }
  return true;
}

bool Named(const OscMessage& message, int count, VmcMessage* out) {
  if (message.argument_count < 1 || message.arguments[0].type != 's') return false;
  out->name = message.arguments[0].text;
  return Numbers(message, 1, count, out->values);
}

bool Understand(const OscMessage& message, VmcMessage* out) {
  if (message.address == kOkAddress) {
    out->kind = VmcMessage::kOk;
    out->loaded = message.argument_count > 0 ? message.arguments[0].integer : 0;
    return true;
  }
  if (message.address == kApplyAddress) {
    out->kind = VmcMessage::kApply;
    return true;
  }
  if (message.address == kTimeAddress) {
    out->kind = VmcMessage::kTime;
    return Numbers(message, 0, 1, out->values);
  }
  if (message.address == kBlendAddress) {
    out->kind = VmcMessage::kBlend;
    return Named(message, 1, out);
  }
  if (message.address == kBoneAddress || message.address == kRootAddress) {
    out->kind = message.address == kBoneAddress ? VmcMessage::kBone : VmcMessage::kRoot;
    return Named(message, 7, out);
  }
  return false;
}

}  // namespace

void EncodeVmc(const Face& face, float time_s, const VmcOptions& options, SendPacket send, void* context) {
  static constexpr const char* kVrm0[7] = {"A", "I", "U", "E", "O", "Blink_L", "Blink_R"};
  static constexpr const char* kVrm1[7] = {"aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight"};
  PacketSender sender(send, context);
  sender.Put([](OscBundleWriter& bundle) {
    bundle.Begin(kOkAddress, "i");
    bundle.Int(1);
    return bundle.End();
  });
  sender.Put([&](OscBundleWriter& bundle) {
    bundle.Begin(kTimeAddress, "f");
    bundle.Float(time_s);
    return bundle.End();
  });
  if (options.has_rotations) {
    sender.Bone("Head", face.head);
    sender.Bone("LeftEye", face.left_eye);
    sender.Bone("RightEye", face.right_eye);
  }
  switch (options.names) {
    case VmcNames::kPascal:
    case VmcNames::kCamel: {
      const char* const* names = options.names == VmcNames::kPascal ? kLiveLinkNames : kCurveNames;
      for (int curve = 0; curve < kCurveCount; ++curve) sender.Blend(names[curve], face.weights[curve]);
      break;
    }
    case VmcNames::kVrm0Presets:
      PutPresets(face, kVrm0, sender);
      break;
    case VmcNames::kVrm1Presets:
      PutPresets(face, kVrm1, sender);
      break;
  }
  sender.Put([](OscBundleWriter& bundle) {
    bundle.Begin(kApplyAddress, "");
    return bundle.End();
  });
  sender.Flush();
}

bool DecodeVmc(const uint8_t* data, size_t size, void (*take)(void* context, const VmcMessage& message),
               void* context) {
  struct Sink {
    void (*take)(void* context, const VmcMessage& message);
    void* context;
  } sink{take, context};
  return DecodeOsc(
      data, size,
      [](void* to, const OscMessage& message) {
        const Sink& sink = *static_cast<Sink*>(to);
        VmcMessage understood;
        if (Understand(message, &understood)) sink.take(sink.context, understood);
      },
      &sink);
}

}  // namespace facestream
