#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "faces.h"
#include "facestream/core/live_link.h"
#include "facestream/core/osc.h"
#include "facestream/core/rotation.h"
#include "facestream/core/vmc.h"

namespace facestream::tests {

constexpr char kDevice[] = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

LiveLinkPacket PacketOf(const Face& face) {
  LiveLinkPacket packet;
  packet.device_id = kDevice;
  packet.subject = "facestream1";
  packet.time = LiveLinkTimeOf(3723'512'000'000);  // 01:02:03.512
  LiveLinkValues(face, packet.values);
  return packet;
}

TEST(LiveLink, ADatagramIsLaidOutAsTheTableSays) {
  std::mt19937 chance(1);
  const LiveLinkPacket packet = PacketOf(RandomFace(chance));
  uint8_t data[512];
  ASSERT_EQ(EncodeLiveLink(packet, data, sizeof data), 317u);
  const auto word = [&](size_t place) {
    return uint32_t{data[place]} << 24 | uint32_t{data[place + 1]} << 16 | uint32_t{data[place + 2]} << 8 |
           data[place + 3];
  };
  const auto number = [&](size_t place) {
    const uint32_t bits = word(place);
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  };
  EXPECT_EQ(data[0], 6);
  EXPECT_EQ(word(1), 36u);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(data) + 5, 36), kDevice);
  EXPECT_EQ(word(41), 11u);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(data) + 45, 11), "facestream1");
  EXPECT_EQ(word(56), 3723u * 60 + 30);
  EXPECT_NEAR(number(60), 0.72, 1e-5);
  EXPECT_EQ(word(64), 60u);
  EXPECT_EQ(word(68), 1u);
  EXPECT_EQ(data[72], 61);
  for (size_t value = 0; value < 61; ++value) EXPECT_EQ(number(73 + 4 * value), packet.values[value]);
}

TEST(LiveLink, WhatIsWrittenIsReadAgain) {
  std::mt19937 chance(2);
  for (int round = 0; round < 100; ++round) {
    const LiveLinkPacket packet = PacketOf(RandomFace(chance));
    uint8_t data[512];
    const size_t size = EncodeLiveLink(packet, data, sizeof data);
    LiveLinkPacket again;
    ASSERT_EQ(DecodeLiveLink(data, size, &again), LiveLinkError::kNone);
    EXPECT_EQ(again.device_id, packet.device_id);
    EXPECT_EQ(again.subject, packet.subject);
    EXPECT_EQ(again.time.frame, packet.time.frame);
    EXPECT_TRUE(again.has_face);
    EXPECT_EQ(std::memcmp(again.values, packet.values, sizeof packet.values), 0);
    LiveLinkPacket nobody = packet;
    nobody.has_face = false;
    ASSERT_EQ(DecodeLiveLink(data, EncodeLiveLink(nobody, data, sizeof data), &again), LiveLinkError::kNone);
    EXPECT_FALSE(again.has_face);
  }
}

TEST(LiveLink, EveryCutAndEveryWrongFieldIsRefused) {
  const LiveLinkPacket packet = PacketOf(EvenFace(0.5f));
  uint8_t data[512];
  const size_t size = EncodeLiveLink(packet, data, sizeof data);
  for (size_t room = 0; room < size; ++room) EXPECT_EQ(EncodeLiveLink(packet, data, room), 0u);
  LiveLinkPacket again;
  for (size_t cut = 0; cut < size; ++cut) {
    const LiveLinkError error = DecodeLiveLink(data, cut, &again);
    if (cut == 72) {
      EXPECT_EQ(error, LiveLinkError::kNone) << "no face";
    } else {
      EXPECT_EQ(error, LiveLinkError::kTooShort) << cut;
    }
  }
  const auto with = [&](size_t place, uint8_t value) {
    std::vector<uint8_t> changed(data, data + size);
    changed[place] = value;
    return DecodeLiveLink(changed.data(), size, &again);
  };
  EXPECT_EQ(with(0, 5), LiveLinkError::kWrongVersion);
  EXPECT_EQ(with(1, 0xff), LiveLinkError::kBadLength);
  EXPECT_EQ(with(41, 1), LiveLinkError::kBadLength);
  EXPECT_EQ(with(67, 0), LiveLinkError::kBadTime);
  EXPECT_EQ(with(72, 52), LiveLinkError::kWrongCount);
  std::vector<uint8_t> nan(data, data + size);
  nan[73] = 0x7f, nan[74] = 0xc0;
  EXPECT_EQ(DecodeLiveLink(nan.data(), size, &again), LiveLinkError::kNotFinite);
  LiveLinkPacket wordy = packet;
  const std::string name(256, 'x');
  wordy.subject = name;
  uint8_t roomy[1024];
  EXPECT_EQ(EncodeLiveLink(wordy, roomy, sizeof roomy), 0u);
}

TEST(LiveLink, MidnightWraps) {
  EXPECT_EQ(LiveLinkTimeOf(86400LL * 1000000000).frame, 0);
  EXPECT_EQ(LiveLinkTimeOf(-1).frame, 86400 * 60 - 1);
}

using Packets = std::vector<std::vector<uint8_t>>;

Packets VmcPackets(const Face& face, const VmcOptions& options) {
  Packets packets;
  EncodeVmc(
      face, 1.5f, options,
      [](void* to, const uint8_t* data, size_t size) { static_cast<Packets*>(to)->emplace_back(data, data + size); },
      &packets);
  return packets;
}

struct Received {
  std::map<std::string, float> blends;
  std::map<std::string, std::vector<float>> bones;
  int applied = 0, ok = 0;
  float time = 0;
};

bool Receive(const std::vector<uint8_t>& packet, Received* received) {
  return DecodeVmc(
      packet.data(), packet.size(),
      [](void* context, const VmcMessage& message) {
        Received& to = *static_cast<Received*>(context);
        if (message.kind == VmcMessage::kOk) to.ok += message.loaded;
        if (message.kind == VmcMessage::kTime) to.time = message.values[0];
        if (message.kind == VmcMessage::kBlend) to.blends[std::string(message.name)] = message.values[0];
        if (message.kind == VmcMessage::kBone)
          to.bones[std::string(message.name)].assign(message.values, message.values + 7);
        if (message.kind == VmcMessage::kApply) ++to.applied;
      },
      received);
}

TEST(Vmc, AFaceArrivesInPacketsThatEveryNetworkTakes) {
  std::mt19937 chance(3);
  const Face face = RandomFace(chance);
  for (const VmcNames names : {VmcNames::kPascal, VmcNames::kCamel}) {
    const Packets packets = VmcPackets(face, {names, true});
    Received received;
    for (size_t place = 0; place < packets.size(); ++place) {
      EXPECT_LE(packets[place].size(), kVmcLargestPacket);
      EXPECT_EQ(received.applied, 0) << "only the last one says apply";
      ASSERT_TRUE(Receive(packets[place], &received));
    }
    EXPECT_GT(packets.size(), 1u);
    EXPECT_EQ(received.applied, 1);
    EXPECT_EQ(received.ok, 1);
    EXPECT_EQ(received.time, 1.5f);
    ASSERT_EQ(received.blends.size(), 52u);
    for (int curve = 0; curve < kCurveCount; ++curve) {
      const char* name = names == VmcNames::kPascal ? kLiveLinkNames[curve] : kCurveNames[curve];
      EXPECT_EQ(received.blends.at(name), face.weights[curve]);
    }
    EXPECT_EQ(received.bones.at("Head")[3], face.head[0]);
    EXPECT_EQ(received.bones.at("Head")[4], -face.head[1]);
    EXPECT_EQ(received.bones.at("RightEye")[6], face.right_eye[3]);
  }
}

TEST(Vmc, AvatarsWithoutTheShapesGetVowelsAndBlinks) {
  Face face;
  face.weights[CurveIndex("jawOpen")] = 0.65f;
  face.weights[CurveIndex("mouthLowerDownLeft")] = face.weights[CurveIndex("mouthLowerDownRight")] = 0.2f;
  face.weights[CurveIndex("eyeBlinkRight")] = 0.9f;
  Received old, recent;
  for (const auto& packet : VmcPackets(face, {VmcNames::kVrm0Presets, false})) ASSERT_TRUE(Receive(packet, &old));
  for (const auto& packet : VmcPackets(face, {VmcNames::kVrm1Presets, false})) ASSERT_TRUE(Receive(packet, &recent));
  EXPECT_NEAR(old.blends.at("A"), 1, 0.01);
  EXPECT_NEAR(recent.blends.at("aa"), 1, 0.01);
  EXPECT_EQ(old.blends.at("Blink_R"), 0.9f);
  EXPECT_EQ(recent.blends.at("blinkLeft"), 0);
  EXPECT_EQ(old.blends.size(), 7u);
  EXPECT_TRUE(old.bones.empty());
}

TEST(Vmc, AnyByteMayBeWrongOrMissing) {
  const Packets packets = VmcPackets(EvenFace(0.5f), {});
  std::mt19937 chance(4);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<uint8_t> packet = packets[chance() % packets.size()];
    packet.resize(packet.size() - chance() % 40);
    for (unsigned change = 0; change < chance() % 4; ++change)
      packet[chance() % packet.size()] = static_cast<uint8_t>(chance());
    Received received;
    refused += !Receive(packet, &received);
    for (const auto& [name, value] : received.blends) ASSERT_TRUE(std::isfinite(value));
  }
  EXPECT_GT(refused, 1000);
}

TEST(Osc, ForeignMessagesAreSteppedOver) {
  const char message[] =
      "/some/where\0,TifsbNhd\0\0\0\0\0\0\7\x3f\x80\0\0text\0\0\0\0\0\0\0\3abc\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2";
  struct Seen {
    int count = 0, arguments = 0;
    OscMessage last;
  } seen;
  ASSERT_TRUE(DecodeOsc(
      reinterpret_cast<const uint8_t*>(message), sizeof message - 1,
      [](void* to, const OscMessage& message) {
        Seen& seen = *static_cast<Seen*>(to);
        ++seen.count;
        seen.last = message;
      },
      &seen));
  EXPECT_EQ(seen.count, 1);
  EXPECT_EQ(seen.last.argument_count, 8);
  EXPECT_EQ(seen.last.arguments[1].integer, 7);
  EXPECT_EQ(seen.last.arguments[2].number, 1.0f);
  EXPECT_EQ(seen.last.arguments[3].text, "text");
}

}  // namespace facestream::tests
