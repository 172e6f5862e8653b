"""The report: everything in one file, everything escaped, pictures that show what they should."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bigimg.errors import OutputError
from bigimg.run.report import Histogram, ImageCard, OtherImage, TableSummary, render, write_report
from bigimg.run.report_charts import HistogramChart
from bigimg.run.report_pictures import (
    crop_object,
    display,
    display_limits,
    outline_overlay,
    outlines,
    picture_pair,
    thumbnail,
    thumbnail_labels,
)

from .report_sample import sample


class Outline(HTMLParser):
    """What a page links to, and whether its tags are closed."""

    VOID = frozenset({"meta", "link", "img", "br", "line"})

    def __init__(self, text):
        super().__init__()
        self.links, self.open, self.tags = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in {"src", "href", "srcset", "action"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page() -> str:
    return render(sample())


def test_the_page_holds_everything_itself(page):
    outline = Outline(page)
    assert not outline.open
    assert all(link.startswith(("data:", "#")) for link in outline.links)
    assert "script" not in outline.tags
    assert not re.search(r"url\(|@import|http", page.partition("<style>")[2].partition("</style>")[0])
    assert "default-src 'none'" in page


def test_every_link_of_the_menu_has_its_section(page):
    for target in re.findall(r'href="#(\w+)"', page):
        assert f'id="{target}"' in page


def test_text_is_escaped_wherever_it_stands():
    nasty = "\"><script>alert('x')</script>"
    blank = np.zeros((4, 4), np.uint8)
    data = sample(
        workflow=nasty, description=nasty, workflow_text=nasty, input=nasty, output=nasty, machine=nasty,
        versions={nasty: nasty}, notes=(nasty,), others=(OtherImage(nasty),), labels=(nasty,),
        images=(ImageCard(nasty, blank, blank, 1, nasty),),
        histograms=(Histogram(nasty, np.ones(3, int), np.arange(4.0), 1.0),),
        tables=(TableSummary.of(nasty, pd.DataFrame({nasty: [1.0]})),),
    )  # fmt: skip
    text = render(data)
    assert "<script" not in text
    assert "script" not in Outline(text).tags
    assert text.count("&lt;script&gt;") > 12


def test_the_verdict_and_what_was_skipped_are_said_first(page):
    assert "98 images, 192 objects, 2 skipped" in page
    assert page.index("2 skipped: not in the results") < page.index('id="images"')
    assert "plate7/well_B03.tif" in page
    assert sample(done=1, objects=1, skipped=()).verdict == "1 image, 1 object, 0 skipped"
    assert sample(objects=None).verdict == "98 images, 2 skipped"


def test_parts_that_are_empty_are_left_out():
    empty = dict.fromkeys(("skipped", "images", "others", "histograms", "tables", "clusters", "anomalies"), ())
    text = render(sample(**empty, stages=(), inputs=(), labels=(), versions={}, objects=None))
    assert re.findall(r'<section id="(\w+)"', text) == ["results", "how"]


def test_long_lists_are_cut(page):
    assert "700 more images" in page
    assert "and 200 more, in the results" in page
    assert "well_499" in page
    assert "well_500" not in page


def test_the_code_that_opens_the_results_is_python():
    code = sample(output="it's here", labels=("nuclei", "2nd-labels")).code
    compile(code, "report", "exec")
    assert 'bigimg.open("it\'s here")' in code
    assert "_2nd_labels = results.labels('2nd-labels')" in code


def test_the_report_replaces_the_old_one_when_it_is_whole(tmp_path: Path):
    path = tmp_path / "report.html"
    path.write_text("old")
    assert write_report(path, sample()) == path
    assert path.read_text().startswith("<!doctype html>")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OutputError, match="report cannot be written"):
        write_report(tmp_path / "absent" / "report.html", sample())


def test_a_table_is_summed_up_by_what_was_measured():
    table = pd.DataFrame(
        {"label": [1, 2], "item": ["a", "b"], "area": [3.0, np.nan], "bbox-0": [0, 1], "empty": np.nan}
    )
    summary = TableSummary.of("objects", table)
    assert summary.rows == 2
    assert [(column.name, column.mean, column.most) for column in summary.columns] == [("area", 3.0, 3.0)]


def test_a_table_of_many_properties_is_folded():
    wide = pd.DataFrame({f"feature-{number:03}": [float(number)] for number in range(30)})
    text = render(sample(tables=(TableSummary.of("images", wide),)))
    assert "<details><summary>30 properties</summary>" in text
    assert "feature-029" in text
    assert not Outline(text).open


def test_a_histogram_keeps_its_threshold_inside_and_its_bins_few():
    counts = np.zeros(65536, int)
    counts[1000:3000] = 5
    chart = HistogramChart.of(counts, np.arange(65537.0), 2500)
    assert chart.threshold == pytest.approx(0.75 * 460)
    assert chart.label_anchor == "end"
    assert chart.path.count("V") < 240
    assert HistogramChart.of(counts, np.arange(65537.0), 60_000).threshold is None
    assert HistogramChart.of(np.zeros(4, int), np.zeros(5), None).ticks == ((0.0, "0"),)


# pictures


def test_display_stretches_grey_and_keeps_colours():
    image = np.arange(10_000, dtype=np.uint16).reshape(100, 100) * 6
    shown = display(image)
    assert (shown.dtype, shown.shape, shown.min(), shown.max()) == (np.uint8, (100, 100), 0, 255)
    colour = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    assert np.array_equal(display(colour), colour)
    assert np.array_equal(display(np.moveaxis(colour, -1, 0)), colour)
    assert np.array_equal(display(np.moveaxis(colour, -1, 0), "cyx"), colour)
    assert display(colour.astype(np.uint16) * 100).shape == (20, 30, 3)


@pytest.mark.parametrize(
    ("shape", "dims", "expected"),
    [
        ((5, 6), "yx", (5, 6)),
        ((1, 5, 6), "cyx", (5, 6)),
        ((2, 5, 6), "cyx", (5, 6, 3)),
        ((4, 5, 6), "zyx", (5, 6)),
        ((2, 3, 4, 5, 6), "tczyx", (5, 6, 3)),
        ((9, 5, 6), None, (5, 6, 3)),
        ((4, 4, 4), None, (4, 4, 3)),
    ],
)
def test_display_takes_every_kind_of_image(shape, dims, expected):
    rng = np.random.default_rng(0)
    for dtype in (bool, np.uint8, np.int32, np.float32):
        assert display(rng.integers(0, 2, shape).astype(dtype), dims).shape == expected


def test_display_of_odd_values():
    assert (display(np.full((3, 3), 7, np.uint16)) == 0).all()
    assert (display(np.full((3, 3), np.nan)) == 0).all()
    holed = np.array([[0.0, np.nan], [1.0, np.inf]])
    assert display_limits(holed) == pytest.approx((0.001, 0.999))
    assert display(holed).tolist() == [[0, 0], [255, 255]]
    assert display(np.eye(3, dtype=bool)).max() == 255


def test_outlines_are_drawn_inside_objects_and_between_them():
    labels = np.zeros((7, 9), int)
    labels[1:6, 1:5], labels[1:6, 5:8] = 1, 2
    edge = outlines(labels)
    assert edge[1:6, 4:6].all()
    assert not edge[labels == 0].any()
    assert not edge[3, 3]
    dark = outline_overlay(np.zeros((7, 9), np.uint8), labels)
    assert tuple(dark[1, 1]) == (255, 214, 10)
    assert not dark[~edge].any()
    assert tuple(outline_overlay(np.full((7, 9, 3), 240, np.uint8), labels)[1, 1]) == (0, 72, 255)


def test_thumbnails_of_pictures_and_labels_have_one_shape():
    picture, labels = np.zeros((1000, 333), np.uint8), np.ones((1000, 333), np.uint32)
    assert thumbnail(picture, 200).shape == thumbnail_labels(labels, 200).shape == (200, 67)
    assert thumbnail(picture, 2000) is picture
    assert thumbnail(np.zeros((5000, 1), np.uint8), 100).shape == (100, 1)
    small, overlay = picture_pair(picture[:30, :40], labels[:30, :40], size=400)
    assert small.shape == (300, 400)
    assert overlay.shape == (300, 400, 3)


def test_a_crop_is_a_square_around_its_object_also_at_the_border():
    picture = np.arange(100, dtype=np.uint8).reshape(10, 10)
    crop = crop_object(picture, (4, 4, 6, 8), pad=1)
    assert np.array_equal(crop, picture[2:8, 3:9])
    corner = crop_object(picture, (0, 0, 2, 2), pad=2)
    assert corner.shape == (6, 6)
    assert np.array_equal(corner[2:, 2:], picture[:4, :4])
    assert not corner[:2].any()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 400])
def test_a_browser_shows_the_report_and_asks_for_nothing(tmp_path: Path, width):
    browser_path = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    if browser_path is None:
        pytest.skip("no Chromium or Chrome is installed")
    playwright = pytest.importorskip("playwright.sync_api")
    path = write_report(tmp_path / "report.html", sample())
    said, asked = [], []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
        page.click("nav a[href='#timings']" if width > 1000 else "nav a[href='#images']")
        assert page.locator("h1").inner_text() == "nuclei"
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
