extends RefCounted
## Sound as Godot mixes it -> sound as the wire takes it.


## Stereo frames of -1 to 1 as one channel of 16 bits.
static func mono16(frames: PackedVector2Array) -> PackedByteArray:
	var data := PackedByteArray()
	data.resize(2 * frames.size())
	var at := 0
	for frame: Vector2 in frames:
		data.encode_s16(at, clampi(roundi(16384.0 * (frame.x + frame.y)), -32768, 32767))
		at += 2
	return data


## One channel of -1 to 1 as 16 bits.
static func of_floats(samples: PackedFloat32Array) -> PackedByteArray:
	var data := PackedByteArray()
	data.resize(2 * samples.size())
	for index in samples.size():
		data.encode_s16(2 * index, clampi(roundi(32768.0 * samples[index]), -32768, 32767))
	return data


## One channel of 16 bits as stereo frames.
static func frames_of(data: PackedByteArray) -> PackedVector2Array:
	var frames := PackedVector2Array()
	frames.resize(data.size() / 2)
	for index in frames.size():
		var value := data.decode_s16(2 * index) / 32768.0
		frames[index] = Vector2(value, value)
	return frames
