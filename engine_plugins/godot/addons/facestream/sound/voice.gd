extends RefCounted
## A voice whose samples come bit by bit, as those of speech synthesis: each is played once its face is there.

const AnimationStream := preload("../stream/animation_stream.gd")
const Failure := preload("../wire/failure.gd")
const Pcm := preload("pcm.gd")
const PlayerClock := preload("../playback/player_clock.gd")

## More samples than any voice has, for `play_until`.
const LAST := 1 << 62

const _BUFFER_S := 0.5
const _TAIL_S := 0.5

var sample_rate: int
var channel_count := 1
var problem: Failure
var is_waiting := true

var _player: Node
var _clock: PlayerClock
var _unsent := PackedByteArray()
var _unplayed := PackedByteArray()
var _played := 0
var _room := 0
var _is_closed := false
var _has_finished := false
var _over_at := INF


func _init(samples_a_second: int, player: Node) -> void:
	sample_rate = samples_a_second
	_clock = PlayerClock.new(sample_rate)
	var generator := AudioStreamGenerator.new()
	generator.mix_rate = sample_rate
	generator.buffer_length = _BUFFER_S
	_player = player
	_player.stop()
	_player.stream = generator


## The next samples: one channel of 16 bits.
func push(data: PackedByteArray) -> void:
	_unsent.append_array(data)
	_unplayed.append_array(data)


## There will be no more.
func close() -> void:
	_is_closed = true


func feed(stream: AnimationStream) -> void:
	stream.write(_unsent)
	_unsent.clear()
	if _is_closed and not _has_finished:
		_has_finished = true
		stream.finish()


func begin() -> void:
	is_waiting = false
	_player.play()
	_room = _player.get_stream_playback().get_frames_available()


## Hand over to the player what has its face up to sample `ready`, as far as there is room.
func play_until(ready: int) -> void:
	if is_waiting or _unplayed.is_empty():
		return
	var playback: AudioStreamGeneratorPlayback = _player.get_stream_playback()
	var count := mini(mini(ready - _played, _unplayed.size() / 2), playback.get_frames_available())
	if count > 0:
		playback.push_buffer(Pcm.frames_of(_unplayed.slice(0, 2 * count)))
		_unplayed = _unplayed.slice(2 * count)
		_played += count


func position(now: float) -> float:
	if is_waiting:
		return -INF
	var playback: AudioStreamGeneratorPlayback = _player.get_stream_playback()
	# a generator that runs dry plays silence on, which is no part of the voice: what it still holds tells where it is
	var held := _room - playback.get_frames_available()
	var is_dry := _unplayed.is_empty() and held == 0
	if is_dry and _is_closed:
		_over_at = minf(_over_at, now)
	return _clock.position((_played - held) / float(sample_rate), not (is_dry and _is_closed), now)


func is_over(now: float) -> bool:
	return now > _over_at + _TAIL_S


func stop() -> void:
	_player.stop()
