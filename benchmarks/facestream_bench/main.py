"""`facestream-bench COMMAND`: the suite. Every command measures one thing and writes one dated result file."""

import sys
from importlib import import_module

from facestream.errors import FacestreamError

COMMANDS = {
    "latency": "live speech: time to the first frame, lag and added latency; NVIDIA's own two numbers beside them",
    "ace": "NVIDIA's interface: time to the first frame, exactness of frames and echo, sixteen live calls",
    "capacity": "the largest number of live streams that are served as they should be",
    "engine": "one step of a model: times by engine, precision and rows, beside its pure matrix products",
    "quality": "closure, visemes, real lips and false motion on speech that training never saw",
    "parity": "engines and precisions against each other, and rows against batches, in blendshape units",
    "gateway": "processor time of the server for a stream over WebSockets, against the same over gRPC",
    "viewer": "the viewer's page in a browser without a GPU: from a sound to its drawn face, pictures a second",
    "gpu": "all of this that waits for a card, within minutes: which engines run there, how right, how fast",
    "soak": "streams that come, go, break off and read slowly for minutes: drift, errors, what is left behind",
    "senders": "how evenly faces leave the server over Live Link, and how they would without its paced sender",
    "compare": "two result files side by side, better or worse by what each figure means",
    "report": "one page with plots and tables of all result files",
}
"""Each is the module of its name, which alone imports what it needs."""

EXTRA = ("matplotlib", "onnx", "psutil", "torch", "scipy")
"""What commands import that a plain installation has not."""


def main() -> None:
    """Run one command; a failure that is the user's to mend is one line and exit code 2."""
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help"):
        print(_usage())
        return
    if words[0] not in COMMANDS:
        sys.exit(_failed(f"no command {words[0][:40]!r}; one of {', '.join(COMMANDS)}"))
    try:
        import_module(f"facestream_bench.{words[0]}").main(words[1:])
    except FacestreamError as error:
        sys.exit(_failed(str(error)))
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        sys.exit(_failed(f"{words[0]} needs {error.name}; pip install 'facestream[bench,train]'"))
    except KeyboardInterrupt:
        sys.exit(130)


def _usage() -> str:
    lines = [f"  {name:10} {what}" for name, what in COMMANDS.items()]
    return "\n".join(["usage: facestream-bench COMMAND [options]    (COMMAND --help tells the options)", "", *lines])


def _failed(message: str) -> int:
    print(f"facestream-bench: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
