#include "facestream/client/stream.h"

#include <google/protobuf/arena.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "call.h"
#include "failures.h"
#include "requests.h"
#include "sender.h"
#include "wakeup.h"

namespace facestream {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kResumeWithin{10000};  // how long a new call is tried before the stream is given up
constexpr int kBarrenResumes = 3;             // new calls in a row that may break without one new frame
constexpr Milliseconds kLongNap{1000};        // threads are woken; this only bounds a mistake
constexpr size_t kEventRoom = 256;
constexpr size_t kAnswerRoom = 64 * 1024;  // of memory for one answer, so that reading allocates nothing

std::shared_ptr<grpc::Channel> ChannelTo(const Connection& connection) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, connection.keepalive_ms);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);  // also the longest that one attempt may take
  // what is not read stays small, so that the server notices a slow reader within seconds
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 32 * 1024);
  if (!connection.has_tls) {
    return grpc::CreateCustomChannel(connection.target, grpc::InsecureChannelCredentials(), arguments);
  }
  grpc::SslCredentialsOptions trust;
  trust.pem_root_certs = connection.root_certificates;
  return grpc::CreateCustomChannel(connection.target, grpc::SslCredentials(trust), arguments);
}

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now().time_since_epoch()).count();
}

}  // namespace

class Stream::Impl {
 public:
  Impl(const Connection& connection, const StreamOptions& options)
      : failure_(ProblemWith(connection, options)),
        connection_(connection),
        options_(failure_.kind == Failure::kNone ? options : StreamOptions()),
        sender_(options_),
        frames_(static_cast<size_t>(options_.frame_room)),
        events_(kEventRoom),
        answer_memory_(new char[kAnswerRoom]) {
    if (failure_.kind != Failure::kNone) {
      state_ = State::kFailed;
      return;
    }
    stub_ = v1::AnimationService::NewStub(ChannelTo(connection));
    google::protobuf::ArenaOptions room;
    room.initial_block = answer_memory_.get();
    room.initial_block_size = kAnswerRoom;
    arena_ = std::make_unique<google::protobuf::Arena>(room);
    reader_ = std::thread([this] { Converse(); });
    writer_ = std::thread([this] { Write(); });
  }

  ~Impl() {
    {
      std::lock_guard<std::mutex> lock(call_mutex_);
      is_stopped_ = true;
      if (call_) call_->Cancel();
    }
    to_reader_.Notify();
    to_writer_.Notify();
    if (reader_.joinable()) reader_.join();
    if (writer_.joinable()) writer_.join();
  }

  size_t Send(const float* samples, size_t count) {
    const size_t taken = sender_.audio().Push(samples, count);
    if (sender_.audio().Count() >= sender_.wanted_samples()) to_writer_.Notify();
    return taken;
  }

  size_t Room() const { return sender_.audio().Room(); }

  void Skip(int64_t count) { sender_.audio().Skip(count); }

  void Finish() {
    sender_.NoteFinished();
    to_writer_.Notify();
  }

  void Control(const Controls& controls) {
    sender_.Add(controls);
    to_writer_.Notify();
  }

  void Flush(int64_t marker_id) {
    sender_.AddMarker(marker_id);
    to_writer_.Notify();
  }

  bool TryRead(Frame* frame, int64_t* decoded_ns) {
    DecodedFrame decoded;
    if (!frames_.TryPop(&decoded)) return false;
    to_reader_.Notify();
    *frame = decoded.frame;
    if (decoded_ns != nullptr) *decoded_ns = decoded.at_ns;
    return true;
  }

  bool TryReadEvent(Event* event) { return events_.TryPop(event); }

  void Wait(int most_ms) {
    const State before = state_;
    to_user_.WaitFor(Milliseconds(most_ms), [&] {
      const State now = state_;
      return frames_.Count() > 0 || events_.Count() > 0 || now != before || now == State::kEnded ||
             now == State::kFailed;
    });
  }

  State state() const { return state_; }

  Failure failure() const {
    std::lock_guard<std::mutex> lock(facts_mutex_);
    return failure_;
  }

  StreamInfo info() const {
    std::lock_guard<std::mutex> lock(facts_mutex_);
    return info_;
  }

  int64_t lost_samples() const { return sender_.audio().lost_samples(); }
  int resume_count() const { return resume_count_; }

 private:
  struct DecodedFrame {
    Frame frame;
    int64_t at_ns = 0;
  };

  // The reader's thread: call after call until the stream has ended, failed or is no longer wanted.
  void Converse() {
    auto give_up_at = SteadyClock::time_point::max();
    Milliseconds pause{50};
    while (std::shared_ptr<Call> call = Dial()) {
      const CallEnd end = Read(*call);
      if (is_stopped_) return;
      if (end.failure.kind == Failure::kNone) return SetState(State::kEnded);
      if (has_answered_) {  // this call was a good one: what is tried from here on is another attempt
        give_up_at = SteadyClock::now() + kResumeWithin;
        pause = Milliseconds{50};
      }
      const bool is_passing = end.is_passing || (end.failure.kind == Failure::kTimeLimit && will_go_away_);
      const bool may_resume = connection_.has_resume && was_started_ && is_passing && barren_resumes_ < kBarrenResumes;
      if (!may_resume) return Fail(end.failure);
      if (SteadyClock::now() + pause > give_up_at) {
        return Fail({end.failure.kind, end.failure.message + "; no new call within " +
                                           std::to_string(kResumeWithin.count() / 1000) + " s"});
      }
      SetState(State::kReconnecting);
      to_reader_.WaitFor(pause, [&] { return is_stopped_.load(); });
      pause = std::min(Milliseconds{1000}, 2 * pause);
    }
  }

  // A new call, handed to the writer; null where the stream is no longer wanted.
  std::shared_ptr<Call> Dial() {
    auto call = std::make_shared<Call>(*stub_, connection_.token);
    {
      std::lock_guard<std::mutex> lock(call_mutex_);
      if (is_stopped_) return nullptr;
      call_ = call;
      resumption_ = {token_, next_frame_, info().clock};
      has_new_call_ = true;
    }
    to_writer_.Notify();
    return call;
  }

  // Reads a call to its end.
  CallEnd Read(Call& call) {
    has_answered_ = will_go_away_ = false;
    Failure problem;
    while (problem.kind == Failure::kNone) {
      arena_->Reset();
      auto* answer = google::protobuf::Arena::CreateMessage<v1::AnimateResponse>(arena_.get());
      if (!call.Read(answer)) break;
      problem = Take(*answer);
    }
    if (problem.kind != Failure::kNone) call.Cancel();
    const grpc::Status status = call.Finish();
    if (problem.kind != Failure::kNone) return {problem, false};
    if (sender_.has_bad_audio())
      return {{Failure::kOptions, "samples: got NaN or infinity; check what made this audio"}, false};
    if (!status.ok()) return EndOf(status, connection_.target, connection_.has_tls, was_started_);
    if (!has_answered_) return {NotStarted(connection_.target), false};
    if (!sender_.is_finished())
      return {{Failure::kServer, connection_.target + " ended the stream before its audio had ended"}, false};
    return {};
  }

  Failure Take(const v1::AnimateResponse& answer) {
    if (!has_answered_) return answer.has_started() ? Start(answer.started()) : NotStarted(connection_.target);
    if (answer.has_frames()) return Take(answer.frames());
    Event event;
    if (answer.has_event() && EventOf(answer.event(), &event)) {
      if (event.kind == Event::kFlushDone) sender_.ForgetMarker(event.id);
      if (event.kind == Event::kFramesDropped) next_frame_ = event.position + event.count;
      if (event.kind == Event::kGoingAway) will_go_away_ = true;
      Tell(event);
    }
    return {};
  }

  Failure Start(const v1::StreamStarted& started) {
    const Failure problem = ProblemWith(started, connection_.target);
    if (problem.kind != Failure::kNone) return problem;
    has_answered_ = true;
    const bool is_resumed = was_started_;
    was_started_ = true;
    token_ = started.resume_token();
    {
      std::lock_guard<std::mutex> lock(facts_mutex_);
      info_ = InfoOf(started, options_);
    }
    if (is_resumed) {
      ++barren_resumes_;
      ++resume_count_;
      Tell({Event::kResumed, 0, next_frame_, 0});
    }
    SetState(State::kStreaming);
    return {};
  }

  Failure Take(const v1::FrameRun& run) {
    if (!IsWhole(run)) {
      return {Failure::kServer, connection_.target + " sent frames that are not whole, behind frame " +
                                    std::to_string(next_frame_) + "; update the older side"};
    }
    if (run.first_frame_index() != next_frame_) {
      return {Failure::kServer, connection_.target +
                                    " sent frames out of order: " + std::to_string(run.first_frame_index()) +
                                    " where " + std::to_string(next_frame_) + " was due"};
    }
    const int64_t now_ns = NowNs();
    for (int place = 0; place < static_cast<int>(run.frame_count()); ++place) {
      const DecodedFrame decoded{FrameOf(run, place), now_ns};
      while (!frames_.TryPush(decoded)) {  // the server waits with us, and then does as its slow-reader policy says
        to_user_.Notify();
        if (is_stopped_) return {};
        to_reader_.WaitFor(kLongNap, [&] { return is_stopped_ || frames_.Count() < frames_.capacity(); });
      }
    }
    next_frame_ += run.frame_count();
    barren_resumes_ = 0;
    to_user_.Notify();
    return {};
  }

  void Tell(const Event& event) {
    events_.TryPush(event);  // one that nobody reads is not waited for
    to_user_.Notify();
  }

  void SetState(State state) {
    state_ = state;
    to_user_.Notify();
  }

  void Fail(const Failure& failure) {
    {
      std::lock_guard<std::mutex> lock(facts_mutex_);
      failure_ = failure;
    }
    SetState(State::kFailed);
  }

  // The writer's thread: serves each call until it is over.
  void Write() {
    Resumption resumption;
    while (std::shared_ptr<Call> call = NextCall(&resumption)) {
      bool is_open = sender_.Open(*call, resumption);
      while (is_open && !is_stopped_) {
        to_writer_.WaitFor(kLongNap, [&] { return is_stopped_ || call->is_over() || sender_.HasWork(); });
        is_open = !call->is_over() && sender_.SendNext(*call);
      }
      if (sender_.has_bad_audio()) call->Cancel();
    }
  }

  std::shared_ptr<Call> NextCall(Resumption* resumption) {
    while (!is_stopped_) {
      to_writer_.WaitFor(kLongNap, [&] { return is_stopped_ || has_new_call_; });
      std::lock_guard<std::mutex> lock(call_mutex_);
      if (!has_new_call_ || is_stopped_) continue;
      has_new_call_ = false;
      *resumption = resumption_;
      return call_;
    }
    return nullptr;
  }

  mutable std::mutex facts_mutex_;
  Failure failure_;  // with facts_mutex_

  const Connection connection_;
  const StreamOptions options_;
  Sender sender_;
  SpscQueue<DecodedFrame> frames_;
  SpscQueue<Event> events_;
  Wakeup to_reader_, to_writer_, to_user_;
  std::atomic<State> state_{State::kConnecting};
  std::atomic<bool> is_stopped_{false}, has_new_call_{false};
  std::atomic<int> resume_count_{0};

  std::mutex call_mutex_;
  std::shared_ptr<Call> call_;
  Resumption resumption_;  // of `call_`

  StreamInfo info_;  // with facts_mutex_

  // the reader's own
  std::unique_ptr<char[]> answer_memory_;
  std::unique_ptr<google::protobuf::Arena> arena_;
  std::string token_;
  int64_t next_frame_ = 0;
  int barren_resumes_ = 0;
  bool was_started_ = false;                          // on any call
  bool has_answered_ = false, will_go_away_ = false;  // on this one

  std::unique_ptr<v1::AnimationService::Stub> stub_;
  std::thread reader_, writer_;
};

Stream::Stream(const Connection& connection, const StreamOptions& options)
    : impl_(std::make_unique<Impl>(connection, options)) {}
Stream::~Stream() = default;

size_t Stream::Send(const float* samples, size_t count) { return impl_->Send(samples, count); }
size_t Stream::Room() const { return impl_->Room(); }
void Stream::Skip(int64_t count) { impl_->Skip(count); }
void Stream::Finish() { impl_->Finish(); }
void Stream::Control(const Controls& controls) { impl_->Control(controls); }
void Stream::Flush(int64_t marker_id) { impl_->Flush(marker_id); }
bool Stream::TryRead(Frame* frame, int64_t* decoded_ns) { return impl_->TryRead(frame, decoded_ns); }
bool Stream::TryReadEvent(Event* event) { return impl_->TryReadEvent(event); }
void Stream::Wait(int most_ms) { impl_->Wait(most_ms); }
State Stream::state() const { return impl_->state(); }
Failure Stream::failure() const { return impl_->failure(); }
StreamInfo Stream::info() const { return impl_->info(); }
int64_t Stream::lost_samples() const { return impl_->lost_samples(); }
int Stream::resume_count() const { return impl_->resume_count(); }

}  // namespace facestream
