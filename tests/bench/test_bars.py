from bench.bars import rows


def test_a_row_says_whether_each_bar_is_kept() -> None:
    kept = rows([10, 20], [9.5, 19], idle_s=0.1, during_s=0.15, forward_s=0.05)
    assert [verdict for *_, verdict in kept] == ["kept (>= 0.9)", "kept (<= 1)"]
    missed = rows([10, 20], [8, 17], idle_s=0.1, during_s=0.2, forward_s=0.05)
    assert [verdict for *_, verdict in missed] == ["MISSED (>= 0.9)", "MISSED (<= 1)"]
    assert "= 0.82" in missed[0][1]
    assert "= 2.00 passes of 50 ms" in missed[1][1]
