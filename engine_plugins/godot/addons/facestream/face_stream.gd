@icon("icon.svg")
class_name FaceStream
extends Node
## Makes a character speak: sound goes to a facestream server, faces come back, and each is shown when its sound is heard.
##
## Put it below the character and call [method speak], [method open_voice] or [method listen_to_microphone]. What goes wrong
## is told once, by [signal failed] and in the Output panel; the sound is heard all the same, and the face comes to rest.

const AnimationStream := preload("stream/animation_stream.gd")
const Capture := preload("sound/capture.gd")
const Expressions := preload("face/expressions.gd")
const FaceDriver := preload("face/face_driver.gd")
const Failure := preload("wire/failure.gd")
const FrameBuffer := preload("playback/frame_buffer.gd")
const FrameRows := preload("stream/frame_rows.gd")
const Options := preload("stream/stream_options.gd")
const Pcm := preload("sound/pcm.gd")
const Speech := preload("sound/speech.gd")
const Turning := preload("face/turning.gd")
const Voice := preload("sound/voice.gd")

## How the stream stands: connecting, streaming, reconnecting, finished or failed.
signal state_changed(state: StringName)

## Why nothing comes of it: a kind for programs (invalid_value, not_found, denied, busy, unavailable, time_limit, engine,
## protocol, no_microphone), and a sentence for people.
signal failed(kind: StringName, message: String)

## What was said by [method speak] or a voice was heard to its end.
signal spoken

## speech_started and speech_ended (sample), frames_dropped (first, count), going_away and others.
signal event_received(kind: StringName, first: int, count: int)

## Behind every drawn frame: [member position] and the values by name are new.
signal face_shown

@export_group("Server")
## ws://HOST:PORT of `facestream serve --websocket-port`; wss:// where it has TLS.
@export var server := "ws://localhost:8080"
## Only where the server asks for one. Do not ship a secret in a game: fetch it, and set this.
@export var token := ""
## A model of the server; empty for its first.
@export var model := ""
## Frames a second that are sent; what is drawn lies between them.
@export_range(24, 60) var frame_rate := 30
## Seconds between the capture of live sound and its face; a bus is heard as much later.
@export_range(0.1, 1.0, 0.01) var delay := 0.25

@export_group("Character")
## Face, teeth, tongue, lashes ...; empty for every one below the parent.
@export var meshes: Array[MeshInstance3D] = []
## Which shapes are moved.
@export var shapes := FaceDriver.Shapes.AUTOMATIC
## Factors by name of a value: jawOpen, viseme_aa, aa, blink ...
@export var gains := {}
## Shapes by name of a value, where they are not found by name.
@export var names := {}
## Optional: a node that is turned by models that move the head, or a Skeleton3D.
@export var head: Node3D
## Bone of that skeleton.
@export var head_bone := ""
## Optional: a node, or a Skeleton3D.
@export var left_eye: Node3D
## Bone of that skeleton.
@export var left_eye_bone := ""
## Optional: a node, or a Skeleton3D.
@export var right_eye: Node3D
## Bone of that skeleton.
@export var right_eye_bone := ""
## An AudioStreamPlayer, AudioStreamPlayer2D or AudioStreamPlayer3D; without one, one is made.
@export var player: Node

const _READY_S := 0.2
const _LONGEST_WAIT_S := 1.5
const _FIRST_RETRY_S := 2.0
const _LONGEST_RETRY_S := 30.0
const _EASE_PER_S := 12.0
const _STILL := 1e-3

## What went wrong last; empty while all is well.
var problem := ""

## The sample of the sound that is audible now; -INF while there is none.
var position := -INF

## Certificates to be trusted beside the system's own, natively.
var tls: TLSOptions

## What the stream says of itself; null while there is none.
var stream: AnimationStream

## Whether frames are missing for what is audible.
var is_starved: bool:
	get:
		return _frames == null or _frames.is_starved

var _sound: RefCounted  # Speech, Voice or Capture
var _frames: FrameBuffer
var _driver: FaceDriver
var _controls := {}
var _face := FrameRows.neutral()
var _is_resting := true
var _begun_at := 0.0
var _retry_at := INF
var _retry_delay := 0.0


func _ready() -> void:
	process_priority = 1000  # behind animations, which would overwrite it
	if player == null:
		player = AudioStreamPlayer.new()
		add_child(player)
	if OS.has_feature("web"):
		player.set("playback_type", AudioServer.PLAYBACK_TYPE_STREAM)  # of a sample, the browser tells no position
	find_shapes()


func _exit_tree() -> void:
	stop()


## Look up the shapes again, after meshes or settings have changed.
func find_shapes() -> void:
	var found := meshes.duplicate()
	if found.is_empty() and get_parent() != null:
		found.assign(get_parent().find_children("*", "MeshInstance3D", true, false))
	_driver = FaceDriver.new(found, shapes, gains, names)
	_driver.turn([_turning(head, head_bone), _turning(left_eye, left_eye_bone), _turning(right_eye, right_eye_bone)])


## How many shapes were found.
func moved_shapes() -> int:
	return _driver.moved_shapes


## The value of the face that is shown, gains included: of ARKit's names, viseme_PP ..., aa ..., blink ...
func value(name: StringName) -> float:
	var index := Expressions.names().find(name)
	return _driver.values[index] if index >= 0 and index < _driver.values.size() else 0.0


## Say a recording, in place of what is being said.
func speak(recording: AudioStream) -> void:
	_begin(Speech.new(recording, player))


## Begin to say what [method push_samples] will bring, in place of what is being said; one voice for each utterance.
func open_voice(sample_rate: int) -> void:
	_begin(Voice.new(sample_rate, player))


## The next samples of the voice: one channel, -1 to 1, or 16-bit bytes as speech synthesis gives them.
func push_samples(samples: Variant) -> void:
	var voice := _sound as Voice
	if voice == null:
		_tell(Failure.new(&"invalid_value", "push_samples: got samples and no voice; call open_voice first"))
	else:
		voice.push(samples if samples is PackedByteArray else Pcm.of_floats(samples))


## The voice has said all.
func close_voice() -> void:
	if _sound is Voice:
		_sound.close()


## Show what the player says. Their voice is not played.
func listen_to_microphone() -> void:
	_begin(Capture.new(&"", delay, self))


## Show what is played on an audio bus, and let it be heard [member delay] later.
func listen_to_bus(bus: StringName) -> void:
	_begin(Capture.new(bus, delay, self))


## Change the motion: mouth_strength (0 to 2), blinks, gaze; of models that act emotion, emotion_spread, speaker, style,
## style_strength, head_amount. What is not named stays as it is, also for what will be said later.
func control(controls: Dictionary) -> void:
	_controls.merge(controls, true)
	if stream != null:
		stream.control(controls)


## Say nothing more; the face comes to rest.
func stop() -> void:
	if stream != null:
		stream.cancel()
	if _sound != null:
		_sound.stop()
	stream = null
	_sound = null
	_frames = null
	position = -INF
	_retry_at = INF


func _process(delta: float) -> void:
	var now := Time.get_ticks_usec() / 1e6
	if _sound == null:
		_come_to_rest(delta)
		return
	if now >= _retry_at:
		_open_stream(now)
	if stream != null:
		stream.pump(now)
	if _sound == null:
		return  # whoever was told of something has stopped it
	_sound.feed(stream)
	_let_sound(now)
	position = _sound.position(now)
	_face = _frames.at(position)
	_is_resting = false
	_driver.show(_face)
	face_shown.emit()
	if _sound is Capture and _sound.notice != null and problem != _sound.notice.message:
		_tell(_sound.notice)
	elif _sound.is_over(now):
		var said := _sound
		if stream.state == &"connecting" or stream.state == &"reconnecting":
			var hint := "there was no connection to %s when the line was over; is the server running there?" % server
			_tell(Failure.new(&"unavailable", hint))
		if _sound == said:  # whoever was told of that may say something else by now
			stop()
			spoken.emit()


func _begin(sound: RefCounted) -> void:
	stop()
	_retry_delay = 0.0
	if not _driver.problem.is_empty():
		push_warning("facestream: %s: %s" % [get_path(), _driver.problem])
	if sound.problem != null:
		_tell(sound.problem)
		return
	_sound = sound
	_open_stream(Time.get_ticks_usec() / 1e6)


func _open_stream(now: float) -> void:
	var options := Options.new()
	options.server = server
	options.token = token
	options.tls = tls
	options.model = model
	options.frame_rate = Vector2i(frame_rate, 1)
	options.sample_rate = _sound.sample_rate
	options.channel_count = _sound.channel_count
	options.controls = _controls.duplicate()
	stream = AnimationStream.new(options)
	_frames = FrameBuffer.new(stream.clock, options.sample_rate)
	stream.frame_received.connect(_frames.add)
	stream.event_received.connect(event_received.emit)
	stream.state_changed.connect(_on_state_changed)
	_begun_at = now
	_retry_at = INF
	if _sound is Capture:
		_sound.restart()
	if stream.failure != null:
		_on_state_changed(&"failed")


func _on_state_changed(state: StringName) -> void:
	if state == &"streaming":
		problem = ""
		_retry_delay = 0.0
	elif state == &"failed":
		_tell(stream.failure)
		if _sound is Capture:
			_retry_delay = clampf(2 * _retry_delay, _FIRST_RETRY_S, _LONGEST_RETRY_S)
			_retry_at = Time.get_ticks_usec() / 1e6 + _retry_delay
	state_changed.emit(state)


## Sound waits for its face; where none comes it is heard all the same.
func _let_sound(now: float) -> void:
	var is_ended := stream.state == &"failed" or stream.state == &"finished"
	var ready := stream.clock.sample_of(_frames.newest + 1)
	var is_late := is_ended or now > _begun_at + _LONGEST_WAIT_S
	if _sound.is_waiting and (is_late or ready >= _READY_S * _sound.sample_rate):
		_sound.begin()
	if _sound is Voice:
		_sound.play_until(ready if not is_ended else _sound.LAST)


func _come_to_rest(delta: float) -> void:
	if _is_resting:
		return
	var neutral := FrameRows.neutral()
	_face = FrameBuffer.between(_face, neutral, 1 - exp(-_EASE_PER_S * delta))
	_is_resting = true
	for index in _face.size():
		_is_resting = _is_resting and absf(_face[index] - neutral[index]) < _STILL
	if _is_resting:
		_face = neutral
	_driver.show(_face)
	face_shown.emit()


func _tell(why: Failure) -> void:
	var is_news := problem != why.message
	problem = why.message
	if is_news:
		push_error("facestream: " + why.message)
	failed.emit(why.kind, why.message)


func _turning(node: Node3D, bone: String) -> Turning:
	if node == null:
		return null
	if not bone.is_empty() and (node is not Skeleton3D or node.find_bone(bone) < 0):
		push_warning("facestream: %s: %s has no bone '%s'" % [get_path(), node.name, bone])
		return null
	return Turning.new(node, bone)
