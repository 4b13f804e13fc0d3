"""Small copies of what public documents really hold, each standing for its kind: `tests/data/cases`."""

import shutil
from pathlib import Path

import pytest

from warmer.ingest import Skipped, find_files, read_passages
from warmer.ingest.kinds import parse_overrides
from warmer.passage import Passage

CASES = Path(__file__).parents[2] / "data" / "cases"


def read(case: str, *kinds: str) -> dict[str, list[Passage]]:
    [folder] = CASES.glob(f"{case}-*")
    files = find_files(folder, "docs", kinds=parse_overrides(kinds))
    return {file.source.removeprefix("docs/"): list(read_passages(file)) for file in files}


def told(passages: list[Passage]) -> list[tuple[str, str]]:
    return [(passage.title, passage.text) for passage in passages]


def test_comments_before_indented_declarations() -> None:
    assert told(read("01")["pump.rb"]) == [
        ("pump.rb > Plant > Pump", "class Pump\nDrives a pump of the plant."),
        (
            "pump.rb > Plant > Pump > start",
            "def start(speed)\nStarts the pump and waits until it runs.\n\n@param speed [Integer] turns a minute\n"
            "@return [Boolean]",
        ),
        ("pump.rb > Plant > Pump > stop", "def stop\nStops it."),
    ]


def test_pictures_as_text() -> None:
    found = read("02")
    assert told(found["gdoc.md"]) == [
        ("Report", "The pump was serviced in May."),
        ("Report > Costs", "The seal kit costs forty euros."),
    ]
    assert [passage.text for passage in found["code.ipynb"]][-1] == "The seal kit costs forty euros."
    assert all(len(passage.text) < 100 for passage in found["code.ipynb"])


def test_an_article_is_the_page_only_with_most_of_its_text() -> None:
    found = read("03")
    assert told(found["articles.html"]) == [
        ("FAQ > How do I reset the password?", "Use the reset command."),
        ("FAQ > How do I export data?", "Use the dump command."),
        ("FAQ > Where are logs?", "Below var log."),
    ]
    assert found["cards.html"][1].text.startswith("The timeout is 30 seconds.")


@pytest.mark.parametrize("file", ["d.rst", "starlight.html"])
def test_asides_are_text(file: str) -> None:
    assert "Never deploy on a replica" in read("04")[file][0].text


def test_hidden_panels_are_text_under_the_name_of_their_tab() -> None:
    found = read("05")
    assert told(found["tabs.html"]) == [
        ("Install", "npm:\n\n```\nnpm add thing\n```\n\npnpm:\n\n```\npnpm add thing\n```")
    ]
    [passage] = found["sphinx-tabs-source.rst"]
    assert passage.title == "Pump manual"
    assert passage.text.index("Pears\n") < passage.text.index("Pears tabstwo.")


@pytest.mark.parametrize(
    ("file", "declared"),
    [
        (
            "Options.java",
            {
                "Options > maxPressure": "private int maxPressure",
                "Options > START_TIMEOUT": "public static final int START_TIMEOUT = 30",
                "Options > Mode > FAST": "FAST",
                "Options > Mode > SLOW": "SLOW",
                "Options > start": "public void start()",
            },
        ),
        ("Opts.cs", {"Options > MaxPressure": "public int MaxPressure"}),
        (
            "opts.go",
            {
                "Options": "type Options struct",
                "Options > MaxPressure": "MaxPressure int",
                "StartTimeout": "StartTimeout = 30",
            },
        ),
        (
            "opts.h",
            {
                "options": "struct options",
                "options > max_pressure": "int max_pressure",
                "options > low": "int low",
                "START_TIMEOUT": "#define START_TIMEOUT 30",
                "pump_t": "typedef struct pump_s pump_t",
                "default_speed": "extern int default_speed",
            },
        ),
        (
            "opts.rs",
            {
                "Options": "pub struct Options",
                "Options > max_pressure": "pub max_pressure: u32",
                "Mode > Slow": "Slow",
                "START_TIMEOUT": "pub const START_TIMEOUT: u32 = 30",
                "SIZES": "pub static SIZES: [u8; 2] = [1, 2]",
            },
        ),
        (
            "opts.ts",
            {
                "Options > maxPressure": "maxPressure?: number",
                "Options > onStop": "onStop: () => void",
                "Pump > startTimeout": "startTimeout = 30",
                "Mode > Slow": 'Slow = "slow"',
                "Size > small": '| "small"',
            },
        ),
    ],
)
def test_documented_fields_values_and_constants_have_their_names(file: str, declared: dict[str, str]) -> None:
    passages = read("07")[file]
    assert {passage.title: passage.text.split("\n")[0] for passage in passages} == {
        f"{file} > {name}": line for name, line in declared.items()
    }
    assert all("<" not in passage.text and "*" not in passage.text for passage in passages)


@pytest.mark.parametrize(
    ("file", "title", "text"),
    [
        ("cp1252.md", "Notes", "It\u2019s “fine”."),
        ("latin1.md", "Menü", "Das Gerät läuft."),
        ("nul.html", "Chart", "The pump runs."),
        ("utf16.md", "Menu", "The device runs."),
    ],
)
def test_encodings(file: str, title: str, text: str) -> None:
    assert told(read("08")[file]) == [(title, text)]


def test_front_matter() -> None:
    found = read("09")
    for file in ("fm_blank.md", "fm_comment.md", "fm_toml.md"):
        assert told(found[file]) == [("Cache rules", "The cache holds ten entries.")]
    assert told(found["fm_empty.md"]) == [("Empty front", "Body text.")]
    assert [found[file][0].tags for file in ("fm_comment.md", "fm_toml.md", "fm_blank.md")] == [("ops",), ("ops",), ()]


def test_a_file_name_is_the_title_of_a_document_without_one() -> None:
    assert [passages[0].title for passages in read("10").values()] == [Path(file).stem for file in read("10")]


def test_real_paths_come_before_links(tmp_path: Path) -> None:
    assert list(read("11")) == ["docs/index.md"]
    shutil.copytree(CASES / "11-symlinks" / "docs", tmp_path / "docs")
    (tmp_path / "README.md").symlink_to("docs/index.md")
    skipped = Skipped()
    assert [file.source for file in find_files(tmp_path, "x", skipped)] == ["x/docs/index.md"]
    assert list(skipped.lines()) == ["1 a link to what is there already: x/README.md"]


def test_a_brace_in_an_annotation_ends_nothing() -> None:
    assert told(read("12")["Json.java"]) == [
        ("Json.java > Json > read", "public <T> T read(String text, Class<T> type)\nReads an object from text.")
    ]


def test_questions_formulas_and_lines_of_code_in_html() -> None:
    found = read("13")
    assert told(found["button.html"]) == [
        ("FAQ > How do I reset the password?", "Use the reset command."),
        ("FAQ > Where are logs?", "Below var log."),
    ]
    assert told(found["katex.html"]) == [("M", "Energy is E=mc^2 here.")]
    assert "import os\n    print(os.getcwd())\nos.exit()" in found["ec.html"][0].text


def test_what_mdx_says_in_attributes() -> None:
    passages = read("14")["a.mdx"]
    text = "\n".join(passage.text for passage in passages)
    assert {passage.title for passage in passages} == {"Real title", "Real title > Math"}
    assert "macOS:\n\nUse mactext." in text
    assert "Windows: Use wintext." in text
    for said in (
        "cardtitle:",
        "cardbody",
        "admtitle: The admbody",
        "speed: How fast",
        "codetpl",
        "altimg",
        "sumtext",
        "detailtext",
    ):
        assert said in text
    for code in ("exporttext", "layouttext", "props.value", "require(", "from './x'", "comment"):
        assert code not in text
    assert "import x from 'y';\nexport default x;" in text


def test_ligatures_columns_and_useless_titles_in_pdfs() -> None:
    found = read("15")
    assert told(found["lig.pdf"]) == [("lig", "The configuration file is flat. Different offices.")]
    assert "opened,\nbecause the impeller\nkeeps turning." in found["rowwise.pdf"][0].text
    assert found["rowwise.pdf"][0].title == "rowwise"


def test_a_readme_of_html() -> None:
    assert told(read("16")["README.md"]) == [
        ("Tool", "Option | Meaning\n--- | ---\n--fast | skips checks"),
        ("Tool > Usage", "Run it."),
        ("Tool > License", "MIT."),
    ]


def test_other_files_are_read_where_asked_and_counted_where_not() -> None:
    text = "Some text about the pump and how to stop it."
    assert told(read("17")["guide.adoc"]) == [("guide", text)]
    assert {file: told(passages) for file, passages in read("17", "text=.toml,README,*.adoc").items()} == {
        file: [(name, text)]
        for file, name in (("README", "README"), ("guide.adoc", "guide"), ("settings.toml", "settings"))
    }
    skipped = Skipped()
    list(find_files(CASES / "17-unsupported", "docs", skipped))
    assert list(skipped.lines()) == ["2 of an unsupported kind: README (1), *.toml (1)"]
