"""Benchmarks: each module measures one promise and writes `benchmarks/results/NAME.json`."""

from facestream.grpc_polling import choose_polling

choose_polling()  # before a benchmark imports gRPC: its clients and servers wait as `facestream serve` does
