extends RefCounted
## Why a stream ended, or why a value was refused: a kind for programs, and one clear sentence for people.

const Failure := preload("failure.gd")

const _PASSING: Array[StringName] = [&"busy", &"unavailable", &"engine"]

# numbers of gRPC's statuses
const _KINDS := {
	1: &"unavailable", 3: &"invalid_value", 4: &"time_limit", 5: &"not_found", 7: &"denied", 8: &"busy",
	11: &"invalid_value", 14: &"unavailable", 16: &"denied",
}

## invalid_value, not_found, denied, busy, unavailable, time_limit, engine (of the server), protocol (another version), or
## no_microphone.
var kind: StringName

## What a user reads.
var message: String

## Whether another call may do better.
var is_passing: bool:
	get:
		return kind in _PASSING


func _init(of_kind: StringName, sentence: String) -> void:
	kind = of_kind
	message = sentence


## The failure of a `google.rpc.Status` in JSON, which ends a call; null for other text.
static func of_status(server: String, text: String) -> Failure:
	var status: Variant = JSON.parse_string(text)
	if status is not Dictionary or not status.has("code"):
		return null
	var reason := ""
	for detail: Dictionary in status.get("details", []):
		reason = detail.get("reason", reason)
	return _of_code(server, int(status.code), reason, status.get("message", text))


## The failure that a close frame tells; its reason is cut short.
static func of_close(server: String, code: int, reason: String) -> Failure:
	if code > 4000:
		return _of_code(server, code - 4000, reason.get_slice(":", 0), reason.get_slice(": ", 1) + "...")
	if code == 1009:
		return Failure.new(&"invalid_value", "%s: a message is too big" % server)
	return Failure.new(&"unavailable", "the connection to %s was lost" % server)


## The failure of a connection that did not come about.
static func of_address(server: String) -> Failure:
	var needs_tls := server.begins_with("wss")
	var other := "and with TLS (else use ws://), and a certificate that is trusted here" if needs_tls \
		else "and without TLS (else use wss://)"
	var page := ", and may pages of this site use it ('websocket_origins')" if OS.has_feature("web") else ""
	var hint := "is the server running there with --websocket-port, %s%s?" % [other, page]
	return Failure.new(&"unavailable", "no connection to %s: %s" % [server, hint])


static func _of_code(server: String, code: int, reason: String, sentence: String) -> Failure:
	var kind: StringName = _KINDS.get(code, &"engine" if reason == "ENGINE_FAILED" else &"protocol")
	if kind == &"denied":
		return Failure.new(kind, "%s refused the token: %s" % [server, sentence])
	return Failure.new(kind, "%s: %s" % [server, sentence])
