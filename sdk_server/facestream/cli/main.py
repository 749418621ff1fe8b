"""Entry point of the `facestream` command."""

from facestream.grpc_polling import choose_polling


def main() -> None:
    """Choose how gRPC waits, then run: the commands import gRPC."""
    choose_polling()
    from facestream.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
