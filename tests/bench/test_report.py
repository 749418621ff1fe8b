"""The page stands alone, tells every figure, and draws what it has figures for."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from facestream.errors import InvalidValue
from facestream_bench.report import write_report
from facestream_bench.report_plots import PLOTS, drawn
from facestream_bench.results import write_results

FIGURES = {
    "latency.streams_1.added_p50_ms": -30.0,
    "latency.streams_1.added_p99_ms": -20.0,
    "latency.streams_1.lag_p99_ms": 120.0,
    "latency.streams_1.first_frame_ms": 87.0,
    "latency.streams_64.added_p99_ms": 50.0,
    "latency.streams_64.server_cores": 1.1,
    "latency.streams_64.client_cores": 0.5,
    "latency_compiled.streams_64.added_p99_ms": 30.0,
    "capacity.live.streams": 64.0,
    "capacity.diffposetalk-compact.steps_2.streams": 16.0,
    "engine.live.onnx-cpu.fp32.rows_1.ms_per_row": 1.2,
    "engine.live.onnx-cpu.fp32.rows_1.products_ms": 0.4,
    "engine.live.onnx-cpu.fp32.rows_64.ms_per_row": 0.2,
    "engine.live.onnx-cpu.fp32.rows_64.products_ms": 6.0,
    "engine.diffposetalk-compact.steps_2.onnx-cpu.fp32.rows_2.ms_per_row": 20.0,
    "engine.diffposetalk-compact.steps_2.onnx-cpu.fp32.rows_2.products_ms": 30.0,
    "parity.live.torch.fp32.mean": 1e-8,
    "parity.live.torch.fp32.max": 1e-6,
    "parity.live.torch.fp32.batch.max": 0.0,
    "quality.prompts.closure": 0.98,
    "loudness.prompts.closure": 0.4,
}


class Reader(HTMLParser):
    """Texts, and whatever would be fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.fetched: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href", "data")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


@pytest.fixture
def result(tmp_path: Path) -> Path:
    return write_results("all", "facestream-bench all --of <it>", FIGURES, path=tmp_path / "all.json", notes=["a & b"])


def test_the_page_tells_every_figure_and_needs_nothing_else(result: Path, tmp_path: Path) -> None:
    page, *pictures = write_report([result], tmp_path / "report")
    reader = Reader()
    text = page.read_text(encoding="utf-8")
    reader.feed(text)
    assert [target for target in reader.fetched if not target.startswith("#")] == []
    assert "@import" not in text
    assert set(FIGURES) <= set(reader.texts)
    assert {"a & b", "facestream-bench all --of <it>", "87 ms", "120 ms"} <= set(reader.texts)
    assert reader.tags.count("svg") == len(PLOTS) == len(pictures)
    for picture in pictures:
        with Image.open(picture) as image:
            assert min(image.size) > 100
            assert len(set(image.convert("L").tobytes())) > 20, "something is drawn"


def test_a_plot_without_its_figures_is_left_out() -> None:
    from matplotlib import pyplot as plt

    found = drawn({key: value for key, value in FIGURES.items() if key.startswith("capacity")})
    assert list(found) == ["capacity"]
    plt.close("all")
    assert drawn({}) == {}


def test_the_same_results_give_the_same_page(tmp_path: Path) -> None:
    bars = write_results("bars", "x", {"capacity.live.streams": 64.0}, path=tmp_path / "bars.json")
    one, other = (write_report([bars], tmp_path / name)[0].read_bytes() for name in ("one", "other"))
    assert one == other


def test_without_results_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"results/\*\.json"):
        write_report([], tmp_path)
