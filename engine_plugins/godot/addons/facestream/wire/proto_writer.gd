extends RefCounted
## Writes the fields of one protobuf message, in any order. https://protobuf.dev/programming-guides/encoding/

const _VARINT := 0
const _LENGTH_DELIMITED := 2
const _FIXED_32 := 5

## What was written.
var bytes := PackedByteArray()


## A whole number of any kind, an enum or a boolean; negative ones take ten bytes, as protobuf wants it.
func integer(field: int, value: int) -> void:
	_tag(field, _VARINT)
	_varint(value)


## A 32-bit float.
func single(field: int, value: float) -> void:
	_tag(field, _FIXED_32)
	var at := bytes.size()
	bytes.resize(at + 4)
	bytes.encode_float(at, value)


## Text as UTF-8.
func text(field: int, value: String) -> void:
	data(field, value.to_utf8_buffer())


## Bytes, or a message that was written by another writer.
func data(field: int, value: PackedByteArray) -> void:
	_tag(field, _LENGTH_DELIMITED)
	_varint(value.size())
	bytes.append_array(value)


func _tag(field: int, kind: int) -> void:
	_varint(field << 3 | kind)


func _varint(value: int) -> void:
	while value < 0 or value > 127:
		bytes.append(value & 127 | 128)
		value = value >> 7 & 0x01FF_FFFF_FFFF_FFFF
	bytes.append(value)
