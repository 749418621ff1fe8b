"""Messages and stubs of the wire interface, generated from `protos/facestream/v1` by `protos/build_stubs.py`."""
