from bench.eta import row


def test_an_estimate_is_off_by_as_much_either_way() -> None:
    name, count, ratio, off, ninth, within, verdict = row("alone", [0.5, 2.0, 0.5, 2.0])
    assert (name, count, ratio, off, ninth, within) == (
        "alone",
        "4",
        "1.25",
        "2.00",
        "2.00",
        "100%",
    )
    assert verdict == "kept (<= 2)"
    assert row("alone", [1.0, 1.0, 0.25, 4.0])[-1] == "MISSED (<= 2)"
