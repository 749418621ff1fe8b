extends RefCounted
## What a client sends, as messages of facestream.v1.

const Options := preload("../stream/stream_options.gd")
const Writer := preload("proto_writer.gd")

const _S16LE := 1
const _POLICIES := {&"drop_oldest": 1, &"wait": 2}


## First message of a call. With a `token` the call goes on with a broken stream.
static func config(options: Options, token := "", first_sample := 0, first_frame := 0) -> PackedByteArray:
	var audio := Writer.new()
	audio.integer(1, _S16LE)
	audio.integer(2, options.sample_rate)
	audio.integer(3, options.channel_count)
	var rate := Writer.new()
	rate.integer(1, options.frame_rate.x)
	rate.integer(2, options.frame_rate.y)
	var message := Writer.new()
	message.text(1, options.model)
	message.data(2, audio.bytes)
	message.data(3, rate.bytes)
	if options.seed >= 0:
		message.integer(5, options.seed)
	message.data(6, _controls(options.controls))
	message.integer(7, _POLICIES[options.slow_reader])
	if not token.is_empty():
		var resume := Writer.new()
		resume.text(1, token)
		resume.integer(2, first_sample)
		resume.integer(3, first_frame)
		message.data(8, resume.bytes)
	return _request(1, message)


## Audio; `first_sample` only where it does not lie right behind the last.
static func audio(data: PackedByteArray, first_sample := -1) -> PackedByteArray:
	var message := Writer.new()
	message.data(1, data)
	if first_sample >= 0:
		message.integer(2, first_sample)
	return _request(2, message)


## A change of the motion, from the next sample on.
static func control(controls: Dictionary) -> PackedByteArray:
	var message := Writer.new()
	message.data(2, _controls(controls))
	return _request(3, message)


static func _request(field: int, message: Writer) -> PackedByteArray:
	var request := Writer.new()
	request.data(field, message.bytes)
	return request.bytes


static func _controls(controls: Dictionary) -> PackedByteArray:
	var message := Writer.new()
	if controls.has("mouth_strength"):
		message.single(1, controls.mouth_strength)
	if controls.has("blinks"):
		message.integer(2, int(controls.blinks))
	if controls.has("gaze"):
		message.integer(3, int(controls.gaze))
	var acting := _acting(controls)
	if not acting.is_empty():
		message.data(4, acting)
	return message.bytes


static func _acting(controls: Dictionary) -> PackedByteArray:
	var message := Writer.new()
	if controls.get("emotion") == "speech":
		message.data(1, PackedByteArray())
	elif controls.has("emotion"):
		message.text(3, controls.emotion)
	if controls.has("emotion_spread"):
		message.single(4, controls.emotion_spread)
	if controls.has("speaker"):
		message.text(7, controls.speaker)
	var styling := Writer.new()
	if controls.get("style") == "":
		styling.data(1, PackedByteArray())
	elif controls.has("style"):
		styling.text(2, controls.style)
	if controls.has("style_strength"):
		styling.single(5, controls.style_strength)
	if controls.has("head_amount"):
		styling.single(6, controls.head_amount)
	if not styling.bytes.is_empty():
		message.data(8, styling.bytes)
	return message.bytes
