extends Node
## The runner of engine_plugins/conformance as a page: plays the plan of `?plan=ADDRESS`, all its lines at once, and posts
## the report to `?report=ADDRESS`.

const PlannedCase := preload("planned_case.gd")

var _cases: Array[PlannedCase] = []
var _report_to := ""


func _ready() -> void:
	set_process(false)
	var query := _query()
	_report_to = query.report
	var recordings := {}
	for line in (await _fetch(query.plan)).get_string_from_utf8().split("\n", false):
		var planned := PlannedCase.new(line)
		if not planned.mistake.is_empty():
			_finish({"mistake": planned.mistake})
			return
		if not recordings.has(planned.audio):
			recordings[planned.audio] = AudioStreamWAV.load_from_buffer(await _fetch(planned.audio)).data
		planned.recording = recordings[planned.audio]
		_cases.append(planned)
	var began := Time.get_ticks_usec()
	for planned in _cases:
		planned.begin(began / 1e6)
	set_process(true)


func _process(_delta: float) -> void:
	var is_over := true
	for planned in _cases:
		planned.play(Time.get_ticks_usec() / 1e6)
		is_over = is_over and planned.is_over
	if is_over:
		set_process(false)
		var told := {}
		for planned in _cases:
			told[planned.name] = planned.report()
		_finish({"client": "godot", "transport": "websocket", "cases": told})


func _finish(report: Dictionary) -> void:
	var request := HTTPRequest.new()
	add_child(request)
	var text := JSON.stringify(report, "", false, true)
	request.request(_report_to, ["Content-Type: application/json"], HTTPClient.METHOD_POST, text)
	await request.request_completed
	print("reported")


func _fetch(address: String) -> PackedByteArray:
	var request := HTTPRequest.new()
	add_child(request)
	request.request(address)
	var answer: Array = await request.request_completed
	request.queue_free()
	if answer[1] != 200:
		push_error("%s answers %d" % [address, answer[1]])
	return answer[3]


static func _query() -> Dictionary:
	var found := {}
	for pair in str(JavaScriptBridge.eval("location.search")).trim_prefix("?").split("&"):
		var parts := pair.split("=", true, 1)
		found[parts[0]] = parts[1].uri_decode() if parts.size() > 1 else ""
	return found
