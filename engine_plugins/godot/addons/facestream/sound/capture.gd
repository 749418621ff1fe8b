extends RefCounted
## The sound of a bus, or of the microphone, as it is captured. The face comes a fixed time later; so does the sound of a
## bus, which is held back as long. A microphone is not played at all.

const AnimationStream := preload("../stream/animation_stream.gd")
const Failure := preload("../wire/failure.gd")
const Pcm := preload("pcm.gd")
const PlayerClock := preload("../playback/player_clock.gd")

const _MICROPHONE_BUS := "facestream microphone"
const _BUFFER_S := 1.0
const _DEAF_AFTER_S := 4.0

# in a browser Godot opens a microphone once: when it was stopped it stays silent, so there it is never stopped
static var _opened: AudioStreamPlayer

var sample_rate := int(AudioServer.get_mix_rate())
var channel_count := 1
var problem: Failure
var is_waiting := false

## What to tell of a microphone that is silent; it may be that its user has yet to allow it, so listening goes on.
var notice: Failure

var _bus: StringName
var _capture := AudioEffectCapture.new()
var _delay := AudioEffectDelay.new()
var _microphone: AudioStreamPlayer
var _delay_samples: int
var _clock: PlayerClock
var _taken := 0
var _discarded := 0
var _has_heard := false


## Of a bus by its name; an empty one for the microphone, whose player becomes a child of `owner`.
func _init(bus: StringName, delay_s: float, owner: Node) -> void:
	_clock = PlayerClock.new(sample_rate)
	_delay_samples = int(delay_s * sample_rate)
	if bus.is_empty():
		problem = _problem_of_microphone()
		_bus = _MICROPHONE_BUS
	elif AudioServer.get_bus_index(bus) < 0:
		problem = Failure.new(&"invalid_value", "listen_to_bus: got '%s'; allowed: a bus of the audio bus layout" % bus)
	else:
		_bus = bus
	if problem != null:
		return
	if bus.is_empty():
		_add_microphone(owner)
	_capture.buffer_length = _BUFFER_S
	AudioServer.add_bus_effect(AudioServer.get_bus_index(_bus), _capture)
	if not bus.is_empty():
		_add_delay(delay_s)


func feed(stream: AnimationStream) -> void:
	var discarded := _capture.get_discarded_frames()
	if discarded > _discarded:
		# the game stood still for longer than the buffer: silence keeps the positions
		_write_silence(stream, discarded - _discarded)
		_discarded = discarded
	var frames := _capture.get_buffer(_capture.get_frames_available())
	if frames.is_empty():
		return
	var data := Pcm.mono16(frames)
	if data.count(0) < data.size():
		_has_heard = true
		notice = null
	_taken += frames.size()
	stream.write(data)


func begin() -> void:
	is_waiting = false


## A new stream counts its samples from here on.
func restart() -> void:
	_capture.clear_buffer()
	_taken = 0
	_clock = PlayerClock.new(sample_rate)


func position(now: float) -> float:
	var captured := _clock.position((_taken + _capture.get_frames_available()) / float(sample_rate), true, now)
	if _microphone != null and not _has_heard and _taken > _DEAF_AFTER_S * sample_rate and notice == null:
		notice = Failure.new(&"no_microphone", "no microphone: it gives nothing; connect one, and allow its use")
	return captured - _delay_samples


func is_over(_now: float) -> bool:
	return false


func stop() -> void:
	if problem != null and problem.kind == &"invalid_value":
		return
	var bus := AudioServer.get_bus_index(_bus)
	for effect in range(AudioServer.get_bus_effect_count(bus) - 1, -1, -1) if bus >= 0 else []:
		if AudioServer.get_bus_effect(bus, effect) in [_capture, _delay]:
			AudioServer.remove_bus_effect(bus, effect)
	if _microphone != null and not OS.has_feature("web"):
		_microphone.queue_free()
	_microphone = null


func _write_silence(stream: AnimationStream, samples: int) -> void:
	var silence := PackedByteArray()
	silence.resize(2 * samples)
	_taken += samples
	stream.write(silence)


func _add_microphone(owner: Node) -> void:
	if AudioServer.get_bus_index(_MICROPHONE_BUS) < 0:
		AudioServer.add_bus()
		AudioServer.set_bus_name(AudioServer.bus_count - 1, _MICROPHONE_BUS)
		AudioServer.set_bus_mute(AudioServer.bus_count - 1, true)
	if is_instance_valid(_opened):
		_microphone = _opened
		return
	_microphone = AudioStreamPlayer.new()
	_microphone.stream = AudioStreamMicrophone.new()
	_microphone.bus = _MICROPHONE_BUS
	if OS.has_feature("web"):
		_opened = _microphone
		_microphone.playback_type = AudioServer.PLAYBACK_TYPE_STREAM
		owner.get_tree().root.add_child(_microphone)
	else:
		owner.add_child(_microphone)
	_microphone.play()


func _add_delay(delay_s: float) -> void:
	_delay.dry = 0.0
	_delay.tap1_delay_ms = 1000 * delay_s
	_delay.tap1_level_db = 0.0
	_delay.tap1_pan = 0.0
	_delay.tap2_active = false
	AudioServer.add_bus_effect(AudioServer.get_bus_index(_bus), _delay)


static func _problem_of_microphone() -> Failure:
	var text := ""
	if not ProjectSettings.get_setting("audio/driver/enable_input", false):
		text = "the project does not ask for one; turn on Project Settings > Audio > Driver > Enable Input"
	elif AudioServer.get_input_device_list().is_empty():
		text = "connect one, and let the game use it in the system's privacy settings"
	return null if text.is_empty() else Failure.new(&"no_microphone", "no microphone: " + text)
