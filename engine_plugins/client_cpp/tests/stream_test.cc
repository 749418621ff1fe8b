#include "facestream/client/stream.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "allocations.h"
#include "facestream/core/jitter_buffer.h"
#include "scripted_server.h"

namespace facestream::tests {
namespace {

constexpr size_t kChunk = 640;

Connection To(const std::string& address) {
  Connection connection;
  connection.target = address;
  return connection;
}

// Reads until the stream is over or `enough` frames are there.
std::vector<Frame> ReadAll(Stream& stream, size_t enough = SIZE_MAX) {
  std::vector<Frame> frames;
  while (frames.size() < enough) {
    const State state = stream.state();
    for (Frame frame; stream.TryRead(&frame);) frames.push_back(frame);
    if (state == State::kEnded || state == State::kFailed) break;
    stream.Wait(50);
  }
  return frames;
}

// `count` samples, and the wish that they be sent: waits for room.
void SendAll(Stream& stream, const std::vector<float>& samples) {
  for (size_t sent = 0; sent < samples.size();) {
    const size_t count = std::min<size_t>({samples.size() - sent, 160, stream.Room()});
    sent += stream.Send(samples.data() + sent, count);
    if (count == 0) ::usleep(1000);
  }
}

void ExpectConsecutive(const std::vector<Frame>& frames, size_t count) {
  ASSERT_EQ(frames.size(), count);
  for (size_t place = 0; place < count; ++place) {
    EXPECT_EQ(frames[place].index, static_cast<long long>(place));
    EXPECT_FLOAT_EQ(frames[place].face.weights[0], static_cast<float>(place) / 1000);
  }
}

TEST(Stream, EverySampleAndEveryFrameArrivesOnceAndInOrder) {
  std::vector<int16_t> heard;
  ScriptedServer server([&](int, grpc::ServerContext&, Conversation& conversation) {
    return Serve(conversation, [&](const v1::AnimateRequest& request) {
      if (request.has_audio()) {
        EXPECT_EQ(request.audio().first_sample(), static_cast<int64_t>(heard.size()));
        const size_t count = request.audio().data().size() / 2;
        EXPECT_LE(count, kChunk);
        heard.resize(heard.size() + count);
        std::memcpy(heard.data() + heard.size() - count, request.audio().data().data(), 2 * count);
      }
      return true;
    });
  });
  std::vector<float> samples(16000 * 3 + 77);
  for (size_t place = 0; place < samples.size(); ++place)
    samples[place] = std::sin(static_cast<float>(place) * 0.01f) * 1.2f;
  Stream stream(To(server.address()), StreamOptions());
  SendAll(stream, samples);
  stream.Flush(7);
  stream.Finish();
  ExpectConsecutive(ReadAll(stream), 91);
  EXPECT_EQ(stream.state(), State::kEnded);
  EXPECT_EQ(stream.info().stream_id, "scripted");
  ASSERT_EQ(heard.size(), samples.size());
  for (size_t place = 0; place < samples.size(); ++place) {
    ASSERT_EQ(heard[place], std::min(32767.0f, std::max(-32768.0f, std::nearbyint(samples[place] * 32768)))) << place;
  }
  Event event;
  ASSERT_TRUE(stream.TryReadEvent(&event));
  EXPECT_EQ(event.kind, Event::kFlushDone);
  EXPECT_EQ(event.id, 7);
}

TEST(Stream, WhatIsLeftOutOrFindsNoRoomKeepsItsPlace) {
  std::vector<std::pair<int64_t, size_t>> pieces;
  std::atomic<bool> may_read{false};
  ScriptedServer server([&](int, grpc::ServerContext&, Conversation& conversation) {
    while (!may_read) ::usleep(1000);  // nothing is taken: the client's ring fills
    return Serve(conversation, [&](const v1::AnimateRequest& request) {
      if (request.has_audio()) pieces.emplace_back(request.audio().first_sample(), request.audio().data().size() / 2);
      return true;
    });
  });
  StreamOptions options;
  options.audio_room_ms = 100;
  Stream stream(To(server.address()), options);
  const std::vector<float> second(16000, 0.5f);
  stream.Skip(1000);
  size_t taken = 0;
  for (int round = 0; round < 300; ++round) taken += stream.Send(second.data(), 1600);
  EXPECT_EQ(stream.lost_samples(), 480000 - static_cast<int64_t>(taken));
  EXPECT_GT(stream.lost_samples(), 0);
  may_read = true;
  while (stream.Room() < 800) ::usleep(1000);
  EXPECT_EQ(stream.Send(second.data(), 800), 800u);
  stream.Finish();
  ReadAll(stream);
  ASSERT_EQ(stream.state(), State::kEnded) << stream.failure().message;
  ASSERT_FALSE(pieces.empty());
  size_t heard = 0;
  int64_t end = 0;
  for (const auto& [first, count] : pieces) {
    EXPECT_GE(first, end);
    heard += count;
    end = first + static_cast<int64_t>(count);
  }
  EXPECT_EQ(pieces.front().first, 1000);
  EXPECT_EQ(end, 1000 + 300 * 1600 + 800) << "the last sample is where the audio thread had it";
  EXPECT_EQ(heard, taken + 800);
}

TEST(Stream, ABrokenCallIsContinuedWithTwoSecondsAgain) {
  std::vector<v1::AnimateRequest> second;  // all of the second call but its audio's bytes
  std::mutex mutex;
  ScriptedServer server([&](int call, grpc::ServerContext&, Conversation& conversation) {
    return Serve(conversation, [&](const v1::AnimateRequest& request) {
      if (call == 0) return !request.has_audio() || request.audio().first_sample() < 16000 * 4;
      std::lock_guard<std::mutex> lock(mutex);
      second.push_back(request);
      return true;
    });
  });
  Stream stream(To(server.address()), StreamOptions());
  Controls controls;
  controls.mouth_strength = 0.5f;
  stream.Control(controls);
  SendAll(stream, std::vector<float>(16000 * 6));
  stream.Flush(3);
  stream.Finish();
  ExpectConsecutive(ReadAll(stream), 180);
  EXPECT_EQ(stream.state(), State::kEnded);
  EXPECT_EQ(stream.resume_count(), 1);
  ASSERT_GT(second.size(), 10u);
  const v1::StreamConfig& config = second[0].config();
  EXPECT_EQ(config.resume().token(), "token");
  EXPECT_EQ(config.controls().mouth_strength(), 0.5f) << "what was asked for before holds on";
  const int64_t next_sample = FrameClock{{30, 1}, 16000}.SampleOf(config.resume().first_frame_index());
  EXPECT_EQ(config.resume().first_sample() % 12800, 0) << "on whole steps of every model";
  EXPECT_LE(config.resume().first_sample(), next_sample - 32000);
  EXPECT_GT(config.resume().first_sample(), next_sample - 32000 - 12800);
  int64_t due = config.resume().first_sample();
  for (const v1::AnimateRequest& request : second) {
    if (!request.has_audio()) continue;
    EXPECT_EQ(request.audio().first_sample(), due);
    due += static_cast<int64_t>(request.audio().data().size() / 2);
  }
  EXPECT_EQ(due, 16000 * 6);
}

TEST(Stream, AServerThatBreaksAgainAndAgainIsGivenUp) {
  std::atomic<int> calls{0};
  ScriptedServer server([&](int, grpc::ServerContext&, Conversation& conversation) {
    ++calls;
    v1::AnimateRequest request;
    conversation.Read(&request);
    conversation.Write(Started());
    return grpc::Status(grpc::UNAVAILABLE, "again");
  });
  Stream stream(To(server.address()), StreamOptions());
  ReadAll(stream);
  EXPECT_EQ(stream.state(), State::kFailed);
  EXPECT_EQ(stream.failure().kind, Failure::kLost);
  EXPECT_EQ(calls, 4) << "one, and three that brought nothing";
}

// What a stream says of a server that does this.
Failure FailureOf(const ScriptedServer::Script& script) {
  ScriptedServer server(script);
  Stream stream(To(server.address()), StreamOptions());
  SendAll(stream, std::vector<float>(1600));
  ReadAll(stream);
  EXPECT_EQ(stream.state(), State::kFailed);
  const Failure failure = stream.failure();
  EXPECT_NE(failure.message.find(server.address()), std::string::npos) << failure.message;
  EXPECT_EQ(failure.message.find('\n'), std::string::npos);
  return failure;
}

Failure FailureAfter(std::vector<v1::AnimateResponse> answers) {
  return FailureOf([&](int, grpc::ServerContext&, Conversation& conversation) {
    v1::AnimateRequest request;
    conversation.Read(&request);
    for (const v1::AnimateResponse& answer : answers) conversation.Write(answer);
    while (conversation.Read(&request)) continue;
    return grpc::Status::OK;
  });
}

TEST(Stream, ServersThatAreWrongAreToldApart) {
  EXPECT_EQ(FailureAfter({Frames(0, 1)}).kind, Failure::kOtherVersion);
  v1::AnimateResponse renamed = Started(), fewer = Started();
  renamed.mutable_started()->set_curve_names(17, "jawDrop");
  const Failure other = FailureAfter({renamed});
  EXPECT_EQ(other.kind, Failure::kOtherCurves);
  EXPECT_NE(other.message.find("column 17 is jawDrop, where jawOpen belongs"), std::string::npos) << other.message;
  fewer.mutable_started()->mutable_curve_names()->RemoveLast();
  EXPECT_EQ(FailureAfter({fewer}).kind, Failure::kOtherCurves);
  EXPECT_NE(FailureAfter({Started(), Frames(0, 2), Frames(3, 1)}).message.find("3 where 2 was due"), std::string::npos);
  EXPECT_NE(FailureAfter({Started(), Frames(0, 2), Frames(1, 1)}).message.find("1 where 2 was due"), std::string::npos);
  v1::AnimateResponse torn = Frames(0, 2), nan = Frames(0, 1);
  torn.mutable_frames()->mutable_weights()->RemoveLast();
  EXPECT_NE(FailureAfter({Started(), torn}).message.find("not whole"), std::string::npos);
  nan.mutable_frames()->set_weights(3, NAN);
  EXPECT_NE(FailureAfter({Started(), nan}).message.find("not whole"), std::string::npos);
  const Failure early = FailureOf([](int, grpc::ServerContext&, Conversation& conversation) {
    v1::AnimateRequest request;
    conversation.Read(&request);
    conversation.Write(Started());
    return grpc::Status::OK;
  });
  EXPECT_EQ(early.kind, Failure::kServer);
}

TEST(Stream, BadValuesAreToldBeforeAnyoneIsAsked) {
  const auto failure_of = [](const Connection& connection, const StreamOptions& options) {
    const Stream stream(connection, options);
    EXPECT_EQ(stream.state(), State::kFailed);
    return stream.failure().message;
  };
  StreamOptions options;
  options.sample_rate_hz = 192000;
  EXPECT_EQ(failure_of(To("localhost:1"), options),
            "sample_rate_hz: got 192000; allowed: 8000 to 144000; the core's Resampler helps");
  options = StreamOptions();
  options.channel_count = 0;
  EXPECT_EQ(failure_of(To("localhost:1"), options), "channel_count: got 0; allowed: 1 to 8");
  EXPECT_NE(failure_of(To(""), StreamOptions()).find("host:port"), std::string::npos);

  ScriptedServer server([](int, grpc::ServerContext&, Conversation& conversation) {
    return Serve(conversation, [](const v1::AnimateRequest&) { return true; });
  });
  Stream stream(To(server.address()), StreamOptions());
  SendAll(stream, std::vector<float>(1600, NAN));
  ReadAll(stream);
  EXPECT_EQ(stream.failure().message, "samples: got NaN or infinity; check what made this audio");
}

TEST(Stream, EndsAtOnceWhateverIsUnderWay) {
  {  // nobody ever answers: a socket that listens, and no more
    const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(silent, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(silent, 1), 0);
    ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size), 0);
    Stream stream(To("127.0.0.1:" + std::to_string(ntohs(address.sin_port))), StreamOptions());
    ::usleep(50000);
    EXPECT_EQ(stream.state(), State::kConnecting);
    ::close(silent);
  }
  const auto good = [](int, grpc::ServerContext&, Conversation& conversation) {
    return Serve(conversation, [](const v1::AnimateRequest&) { return true; });
  };
  {  // it has not even begun
    ScriptedServer server(good);
    Stream stream(To(server.address()), StreamOptions());
  }
  {  // in the middle of a word
    ScriptedServer server(good);
    Stream stream(To(server.address()), StreamOptions());
    SendAll(stream, std::vector<float>(16000));
    ReadAll(stream, 10);
  }
  {  // frames that nobody reads
    ScriptedServer server(good);
    StreamOptions options;
    options.frame_room = 2;
    Stream stream(To(server.address()), options);
    SendAll(stream, std::vector<float>(32000));
    ::usleep(50000);
  }
  {  // audio that nobody takes
    std::atomic<bool> is_over{false};
    ScriptedServer server([&](int, grpc::ServerContext& context, Conversation& conversation) {
      conversation.Write(Started());
      while (!is_over && !context.IsCancelled()) ::usleep(1000);
      return grpc::Status::OK;
    });
    StreamOptions options;
    options.sends_floats = true;
    options.channel_count = 8;
    options.sample_rate_hz = 48000;
    {
      Stream stream(To(server.address()), options);
      const std::vector<float> second(48000 * 8);
      for (int round = 0; round < 20; ++round) {
        stream.Send(second.data(), 48000);
        ::usleep(5000);
      }
      EXPECT_GT(stream.lost_samples(), 0);
    }
    is_over = true;
  }
}

TEST(Stream, TheGamesThreadsAllocateNothing) {
  ScriptedServer server([](int, grpc::ServerContext&, Conversation& conversation) {
    return Serve(conversation, [](const v1::AnimateRequest&) { return true; });
  });
  Stream stream(To(server.address()), StreamOptions());
  JitterBuffer buffer(FrameClock{{30, 1}, 16000}, 256);
  const std::vector<float> piece(160, 0.1f);
  int frames = 0;
  size_t before = 0;
  for (int round = 0; frames < 600; ++round) {
    stream.Send(piece.data(), std::min(piece.size(), stream.Room()));
    for (Frame frame; stream.TryRead(&frame); ++frames) buffer.Add(frame);
    Event event;
    stream.TryReadEvent(&event);
    buffer.At(FrameClock{{30, 1}, 16000}.SampleOf(frames));
    if (stream.state() == State::kFailed) FAIL() << stream.failure().message;
    if (frames < 50) before = AllocationCount();
    if (round % 8 == 0) ::usleep(500);
  }
  const size_t allocations = AllocationCount() - before;
  RecordProperty("allocations", std::to_string(allocations));
  RecordProperty("frames", std::to_string(frames - 50));
  EXPECT_EQ(allocations, 0u);
  const StreamInfo info = stream.info();
  EXPECT_EQ(info.stream_id, "scripted");
  const std::string longer = stream.info().stream_id + " is too long a name to be kept in place";
  EXPECT_GT(AllocationCount() - before, 0u) << "and what allocates is noticed";
}

}  // namespace
}  // namespace facestream::tests
