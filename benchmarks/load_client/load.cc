// Many live speakers at once, in one thread: each sends 40 ms chunks as a microphone would and notes when frames come.
//
//   facestream-load HOST:PORT SPEAKERS CONNECTIONS SECONDS SEED PCM CONFIG
//
// They take turns in sharing the connections. CONFIG is a file with a facestream.v1.StreamConfig, PCM one with samples
// in its format, one channel of 16 bits. Every speaker begins at a place of its own and goes round; they begin at random
// moments within one second. Written to standard output for each speaker, times in seconds of one clock:
//
//   speaker STARTED_S HEX_OF_STREAM_STARTED
//   sent SAMPLES_SO_FAR TIME_S          a line a chunk
//   frames TIME_S FIRST COUNT           a line an answer
//   end CODE MESSAGE                    the status of the call
//
// What these numbers mean for latency is defined in facestream_bench/live_load.py, which reads them.

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "facestream/v1/animation_service.grpc.pb.h"

namespace {

namespace v1 = facestream::v1;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kChunkMs = 40;

double SecondsOf(Clock::time_point time) { return Seconds(time.time_since_epoch()).count(); }

class Speaker;

// What came back from the completion queue: one operation of one speaker.
enum class Step { kOpened, kWritten, kRead, kHalfClosed, kEnded };
struct Tag {
  Speaker* speaker;
  Step step;
};

struct Speech {
  std::string bytes;  // 16-bit samples
  v1::StreamConfig config;
  size_t chunk_samples;
  size_t chunk_count;
};

class Speaker {
 public:
  Speaker(v1::AnimationService::Stub& stub, grpc::CompletionQueue& queue, const Speech& speech, size_t first_sample,
          Clock::time_point begins)
      : stub_(stub), queue_(queue), speech_(speech), place_(2 * first_sample), due_(begins) {}

  // When the next chunk is to be sent; the first call opens the stream.
  Clock::time_point due() const { return due_; }
  bool is_over() const { return is_over_; }

  // Open the call, or send the chunk that is due. One write at a time: false while one is under way.
  void Act() {
    if (!call_) {
      call_ = stub_.PrepareAsyncAnimate(&context_, &queue_);
      call_->StartCall(&opened_);
      due_ = Clock::time_point::max();  // until the server has answered
      return;
    }
    const size_t wanted = 2 * speech_.chunk_samples;
    std::string* data = request_.mutable_audio()->mutable_data();
    data->clear();
    while (data->size() < wanted) {
      const size_t taken = std::min(wanted - data->size(), speech_.bytes.size() - place_);
      data->append(speech_.bytes, place_, taken);
      place_ = (place_ + taken) % speech_.bytes.size();
    }
    sent_samples_ += speech_.chunk_samples;
    sent_.emplace_back(sent_samples_, Clock::now());
    call_->Write(request_, &written_);
    due_ = Clock::time_point::max();  // until it is written
  }

  void Went(Step step, bool ok) {
    switch (step) {
      case Step::kOpened:
        if (!ok) return Finish();
        *request_.mutable_config() = speech_.config;
        call_->Write(request_, &written_);
        call_->Read(&answer_, &read_);
        return;
      case Step::kWritten:
        if (ok && answered_) Plan();
        is_writing_done_ = true;
        return;
      case Step::kRead:
        if (!ok) return Finish();
        Note();
        call_->Read(&answer_, &read_);
        return;
      case Step::kHalfClosed:
        return;
      case Step::kEnded:
        is_over_ = true;
        return;
    }
  }

  void Print() const {
    std::printf("speaker %.6f %s\n", SecondsOf(started_), hex_.c_str());
    for (const auto& [samples, time] : sent_) std::printf("sent %zu %.6f\n", samples, SecondsOf(time));
    for (const auto& [time, first, count] : frames_)
      std::printf("frames %.6f %lld %u\n", SecondsOf(time), static_cast<long long>(first), count);
    std::printf("end %d %s\n", static_cast<int>(status_.error_code()), status_.error_message().c_str());
  }

 private:
  struct Run {
    Clock::time_point time;
    int64_t first;
    uint32_t count;
  };

  void Note() {
    if (answer_.has_started()) {
      for (unsigned char byte : answer_.started().SerializeAsString()) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", byte);
        hex_ += digits;
      }
      started_ = Clock::now();
      answered_ = true;
      if (is_writing_done_) Plan();
    } else if (answer_.has_frames()) {
      frames_.push_back({Clock::now(), answer_.frames().first_frame_index(), answer_.frames().frame_count()});
    }
  }

  // When the chunk after those sent was captured in full; at the end of the speech the stream is closed.
  void Plan() {
    if (sent_.size() == speech_.chunk_count) {
      call_->WritesDone(&half_closed_);
      return;
    }
    due_ = started_ + (sent_.size() + 1) * std::chrono::milliseconds(kChunkMs);
  }

  void Finish() { call_->Finish(&status_, &ended_); }

  v1::AnimationService::Stub& stub_;
  grpc::CompletionQueue& queue_;
  const Speech& speech_;
  size_t place_;  // the byte of the speech that is said next
  size_t sent_samples_ = 0;
  Clock::time_point due_;
  Clock::time_point started_;
  bool answered_ = false;
  bool is_writing_done_ = false;
  bool is_over_ = false;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::AnimateRequest, v1::AnimateResponse>> call_;
  v1::AnimateRequest request_;
  v1::AnimateResponse answer_;
  grpc::Status status_;
  std::string hex_;
  std::vector<std::pair<size_t, Clock::time_point>> sent_;
  std::vector<Run> frames_;
  Tag opened_{this, Step::kOpened};
  Tag written_{this, Step::kWritten};
  Tag read_{this, Step::kRead};
  Tag half_closed_{this, Step::kHalfClosed};
  Tag ended_{this, Step::kEnded};
};

std::string Read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Speech ReadSpeech(const char* pcm_path, const char* config_path, int seconds) {
  Speech speech{Read(pcm_path), {}, 0, static_cast<size_t>(seconds) * 1000 / kChunkMs};
  if (!speech.config.ParseFromString(Read(config_path)) ||
      speech.config.audio_format().encoding() != v1::AUDIO_ENCODING_S16LE) {
    std::fprintf(stderr, "%s: expected a StreamConfig for audio of 16 bits\n", config_path);
    std::exit(2);
  }
  speech.chunk_samples = static_cast<size_t>(speech.config.audio_format().sample_rate_hz()) * kChunkMs / 1000;
  if (speech.bytes.size() < 2) {
    std::fprintf(stderr, "%s: found no samples; expected signed 16-bit audio\n", pcm_path);
    std::exit(2);
  }
  speech.bytes.resize(speech.bytes.size() / 2 * 2);
  return speech;
}

}  // namespace

int main(int count, char** words) {
  if (count != 8) {
    std::fprintf(stderr, "usage: facestream-load HOST:PORT SPEAKERS CONNECTIONS SECONDS SEED PCM CONFIG\n");
    return 2;
  }
  const size_t speakers_wanted = std::strtoul(words[2], nullptr, 10);
  const Speech speech = ReadSpeech(words[6], words[7], std::atoi(words[4]));
  std::vector<std::unique_ptr<v1::AnimationService::Stub>> stubs;
  for (int connection = 0; connection < std::max(1, std::atoi(words[3])); ++connection) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // or all channels to one address are one connection
    auto channel = grpc::CreateCustomChannel(words[1], grpc::InsecureChannelCredentials(), arguments);
    stubs.push_back(v1::AnimationService::NewStub(channel));
  }
  grpc::CompletionQueue queue;

  std::mt19937 chance(std::strtoul(words[5], nullptr, 10));
  std::uniform_int_distribution<size_t> place(0, speech.bytes.size() / 2 - 1);
  std::uniform_real_distribution<double> moment(0.0, 1.0);
  const Clock::time_point now = Clock::now();
  std::vector<std::unique_ptr<Speaker>> speakers;
  for (size_t number = 0; number < speakers_wanted; ++number) {
    const auto begins = now + std::chrono::duration_cast<Clock::duration>(Seconds(moment(chance)));
    speakers.push_back(std::make_unique<Speaker>(*stubs[number % stubs.size()], queue, speech, place(chance), begins));
  }

  // The speaker due first in front. One that was given another time since is put back when it comes up.
  using Due = std::pair<Clock::time_point, Speaker*>;
  std::priority_queue<Due, std::vector<Due>, std::greater<Due>> coming;
  for (auto& speaker : speakers) coming.push({speaker->due(), speaker.get()});
  size_t over = 0;
  while (over < speakers.size()) {
    const Clock::time_point next = coming.empty() ? Clock::time_point::max() : coming.top().first;
    if (next <= Clock::now()) {
      Speaker* speaker = coming.top().second;
      coming.pop();
      speaker->Act();
      continue;
    }
    void* found = nullptr;
    bool ok = false;
    const auto wait = next == Clock::time_point::max() ? std::chrono::milliseconds(100) : next - Clock::now();
    const auto deadline = std::chrono::system_clock::now() + wait;
    if (queue.AsyncNext(&found, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) continue;
    const Tag& tag = *static_cast<Tag*>(found);
    const Clock::time_point before = tag.speaker->due();
    tag.speaker->Went(tag.step, ok);
    if (tag.speaker->due() != before) coming.push({tag.speaker->due(), tag.speaker});
    if (tag.step == Step::kEnded) ++over;
  }
  for (const auto& speaker : speakers) speaker->Print();
  return 0;
}
