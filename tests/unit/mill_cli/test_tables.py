"""Tables, as the original mill prints them; narrower in a narrow terminal."""

from mill_cli.output.tables import table

HEADER = ("NAME", "STATUS", "CPU", "MEM", "ALLOCS")
NODES = (
    ("3f9a0c11d2e4b567", "ready", "0.2/4", "122.1 MiB/7.8 GiB", "1"),
    ("b", "draining", "0/2", "0 B/4.0 GiB", "10"),
)
BYTES = """\
·NAME··············STATUS····CPU····MEM················ALLOCS·
·3f9a0c11d2e4b567··ready·····0.2/4··122.1·MiB/7.8·GiB··1······
·b·················draining··0/2····0·B/4.0·GiB········10·····"""


def test_the_originals_bytes() -> None:
    assert table(HEADER, NODES).replace(" ", "·") == BYTES


def test_a_list_of_nothing_has_a_header() -> None:
    assert table(("NAME", "STATE"), []) == " NAME  STATE "


def test_a_cell_is_one_line_without_control_characters() -> None:
    assert table(("A",), [("one\n two\x1b[0m",), ("",)]) == " A           \n one two�[0m \n             "


def test_cells_wrap_only_where_they_do_not_fit() -> None:
    reason = "no nodes available: 2 nodes have too little memory for web"
    header, rows = ("SERVICE", "REASON"), [("web", reason), ("api", "crashed")]
    whole = table(header, rows)
    assert table(header, rows, 200) == whole
    narrow = table(header, rows, 40).splitlines()
    assert max(map(len, narrow)) == 40
    assert [line[:10].strip() for line in narrow] == ["SERVICE", "web", "", "", "api"]
    assert " ".join(line[10:].strip() for line in narrow[1:4]) == reason


def test_a_table_is_as_wide_as_the_terminal_at_most() -> None:
    for width in range(50, 70):
        lines = table(HEADER, NODES, width).splitlines()
        assert {len(line) for line in lines} == {min(width, len(BYTES.splitlines()[0]))}


def test_a_terminal_that_is_narrower_than_any_table_loses_nothing() -> None:
    shown = table(("NAME",), [("3f9a0c11d2e4b567",)], 1)
    assert "".join(shown.split()) == "NAME3f9a0c11d2e4b567"
