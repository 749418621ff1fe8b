extends RefCounted
## A live stream: audio in, frames out, and a new call when one breaks.
##
## Nothing happens but in `pump`, which never waits and reads no clock. The audio of the last ten seconds is kept; when the
## connection is lost a new call sends two seconds of it again, so that the model settles, and asks for frames from the
## first one that is missing: whoever plays the frames sees no seam.

const Answers := preload("../wire/answers.gd")
const AudioHistory := preload("audio_history.gd")
const Call := preload("call.gd")
const Failure := preload("../wire/failure.gd")
const FrameClock := preload("frame_clock.gd")
const FrameRows := preload("frame_rows.gd")
const Options := preload("stream_options.gd")
const ReconnectPlan := preload("reconnect_plan.gd")
const Requests := preload("../wire/requests.gd")

const _SAMPLE_BYTES := 2
const _CHUNK_MS := 40
const _PRIMING_S := 2
const _HISTORY_S := 10

## connecting (waits for the server's first word), streaming, reconnecting, finished (all frames have come), or failed.
signal state_changed(state: StringName)

## Each frame in its order: 52 weights, then 12 numbers of rotation.
signal frame_received(index: int, row: PackedFloat32Array)

## speech_started and speech_ended (first), frames_dropped and gap (first, count), ahead_of_real_time (count), going_away.
signal event_received(kind: StringName, first: int, count: int)

var state := &"connecting"

## Why it failed; null unless it did.
var failure: Failure

## What the server said when the stream opened; null before.
var info: Answers.StreamInfo

## Of the frames of this stream.
var clock: FrameClock

## Index of the next frame that will come.
var next_frame := 0

## How often the stream was continued on a new call.
var resumes := 0

## While false no frame is taken; the server then does what `Options.slow_reader` says.
var is_reading := true

## Samples written so far.
var written_samples: int:
	get:
		return _audio.end

## Samples sent so far.
var sent_samples := 0

var _options: Options
var _audio: AudioHistory
var _plan: ReconnectPlan
var _call: Call
var _rows: FrameRows
var _unsent_controls := {}
var _is_configured := false
var _is_finishing := false
var _is_half_closed := false
var _resumes_here := false
var _has_jumped := false


func _init(options: Options) -> void:
	_options = options
	_audio = AudioHistory.new(_SAMPLE_BYTES * options.channel_count, options.sample_rate)
	_plan = ReconnectPlan.new(options.resume)
	clock = FrameClock.new(options.sample_rate, options.frame_rate)
	failure = options.problem()
	if failure != null:
		state = &"failed"


## Add audio: whole samples of 16 bits, channels interleaved.
func write(data: PackedByteArray) -> void:
	_audio.add(data)


## No audio will be written any more: what there is goes out, and the remaining frames follow.
func finish() -> void:
	_is_finishing = true


## Change the motion from the next sample on; what is not named stays as it is.
func control(controls: Dictionary) -> void:
	_options.controls.merge(controls, true)
	_unsent_controls.merge(controls, true)


## End the stream now; the server frees its place.
func cancel() -> void:
	_drop_call()
	if state != &"failed":
		_enter(&"finished")


## Do all there is to do now. `now` is in seconds, may begin anywhere, and never goes back.
func pump(now: float) -> void:
	if state == &"finished" or state == &"failed":
		return
	if _call == null:
		if not _plan.is_due(now):
			return
		_call = Call.new(_options.server, _options.token, _options.tls)
		_rows = null
		_is_configured = false
		_is_half_closed = false
	_call.poll(now)
	_configure()
	_receive()
	if _call == null:
		return
	if _call.has_ended:
		_ended(now)
	elif _rows != null:
		_send()


func _configure() -> void:
	if _is_configured or not _call.has_room():
		return
	_is_configured = true
	_resumes_here = info != null
	if _resumes_here:
		sent_samples = _priming_start()
		_has_jumped = true
		_call.send(Requests.config(_options, info.resume_token, sent_samples, next_frame))
	else:
		_call.send(Requests.config(_options))
	_unsent_controls = {}


func _receive() -> void:
	while _call != null and is_reading:
		var message := _call.receive()
		if message.is_empty():
			return
		var answer := Answers.read(message)
		if answer is Answers.StreamInfo:
			_started(answer)
		elif _rows == null:
			var sentence := "%s answered without 'started'; it speaks another version of facestream.v1"
			_fail(Failure.new(&"protocol", sentence % _options.server))
		elif answer is Answers.FrameRun:
			_take_frames(answer)
		elif answer is Answers.StreamEvent:
			_take_event(answer)


func _started(said: Answers.StreamInfo) -> void:
	_rows = FrameRows.new(said.curve_names)
	var asked := _options.frame_rate
	var problem := _rows.problem
	if said.frame_rate.x * asked.y != asked.x * said.frame_rate.y or said.chunk_samples < 1:
		problem = "%s answers with %d/%d frames a second and chunks of %d samples, not as it was asked; use a server and an " \
			% [_options.server, said.frame_rate.x, said.frame_rate.y, said.chunk_samples] + "add-on of the same version"
	if not problem.is_empty():
		_fail(Failure.new(&"protocol", problem))
		return
	info = said
	if _resumes_here:
		resumes += 1
		_plan.resumed()
	_enter(&"streaming")


func _take_frames(run: Answers.FrameRun) -> void:
	var problem := _rows.problem_of(run)
	if run.first < next_frame:
		problem = "%s sent frame %d behind frame %d; frames must come in order" % [_options.server, run.first, next_frame - 1]
	if not problem.is_empty():
		_fail(Failure.new(&"protocol", problem))
		return
	for number in run.count:
		frame_received.emit(run.first + number, _rows.row_of(run, number))
	_advance(run.first + run.count)


func _take_event(event: Answers.StreamEvent) -> void:
	if event.kind == &"frames_dropped":
		_advance(event.first + event.count)
	elif event.kind == &"going_away":
		_plan.server_will_end()
	event_received.emit(event.kind, event.first, event.count)


func _advance(frame: int) -> void:
	next_frame = frame
	_plan.succeeded()
	var oldest := maxi(_priming_start(), sent_samples - _HISTORY_S * _options.sample_rate)
	_audio.forget_before(mini(oldest, sent_samples))


func _ended(now: float) -> void:
	var why := _call.failure
	if why == null and _is_half_closed:
		_drop_call()
		_enter(&"finished")
		return
	if why == null:
		why = Failure.new(&"unavailable", "%s ended the stream before the audio had ended" % _options.server)
	_drop_call()
	# a stream that never began has nothing to go on with: whoever opened it hears at once what is wrong
	if info == null or not _plan.try_again(why, now):
		_fail(why)
	else:
		_enter(&"reconnecting")


func _send() -> void:
	if not _unsent_controls.is_empty() and _call.has_room():
		_call.send(Requests.control(_unsent_controls))
		_unsent_controls = {}
	var chunk := mini(_options.sample_rate * _CHUNK_MS / 1000, info.chunk_samples)
	while _call.has_room():
		var until := mini(sent_samples + chunk, _audio.end)
		if until == sent_samples or (until < sent_samples + chunk and not _is_finishing):
			break
		_call.send(Requests.audio(_audio.part(sent_samples, until), sent_samples if _has_jumped else -1))
		_has_jumped = false
		sent_samples = until
	if _is_finishing and sent_samples == _audio.end and not _is_half_closed and _call.has_room():
		_call.finish()
		_is_half_closed = true


## Where audio begins again: two seconds before the next frame, on a multiple of 800 ms, which at every usual rate is a
## whole number of any model's steps, so that the new call computes the very same ones.
func _priming_start() -> int:
	var rate := _options.sample_rate
	var grid := 4 * rate / 5 if rate % 5 == 0 else 4 * rate
	var start := maxi(0, clock.sample_of(next_frame) - _PRIMING_S * rate) / grid * grid
	return start if start >= _audio.first else (_audio.first + grid - 1) / grid * grid


func _fail(why: Failure) -> void:
	_drop_call()
	failure = why
	_enter(&"failed")


func _drop_call() -> void:
	if _call != null:
		_call.cancel()
	_call = null


func _enter(next: StringName) -> void:
	if next != state:
		state = next
		state_changed.emit(next)
