from dataclasses import replace

from bench.bars import Measured, rows

KEPT = Measured(
    bare=[10, 20],
    batch=[9.5, 19],
    jobs=[5, 10],
    bare_cpu_s=[0.01, 0.01],
    batch_cpu_s=[0.012, 0.012],
    idle_s=0.1,
    during_s=0.15,
    forward_s=0.05,
)


def test_a_row_says_whether_each_bar_is_kept() -> None:
    assert [verdict for *_, verdict in rows(KEPT)][:2] == ["kept (>= 0.9)", "kept (<= 1)"]
    missed = rows(replace(KEPT, batch=[8, 17], during_s=0.2))
    assert [verdict for *_, verdict in missed][:2] == ["MISSED (>= 0.9)", "MISSED (<= 1)"]
    assert "= 0.82" in missed[0][1]
    assert "= 2.00 passes of 50 ms" in missed[1][1]


def test_what_has_no_bar_is_told_beside() -> None:
    cpu, jobs = rows(KEPT)[2:]
    assert cpu[1:] == ("12.0 ms, of the network alone 10.0 ms", "")
    assert jobs[1:] == ("7.5 pictures/s = 0.50", "")
