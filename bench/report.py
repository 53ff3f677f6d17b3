"""The tables of the benchmark of queries, as Markdown."""

from typing import Final

from bench.contenders import LIMIT, MERCURIUS, OURS, POSTGRAPHILE
from bench.documents import TITLES
from bench.load import CONNECTIONS, Sample

_BESIDE: Final = {"PostGraphile": POSTGRAPHILE, "Mercurius": MERCURIUS, "limit": LIMIT}


def line(server: str, sample: Sample) -> str:
    """A sample in a line, for who watches."""
    return (
        f"{server:26} {sample.rate:8.1f}/s p50 {sample.p50:6.1f} p99 {sample.p99:7.1f} ms, "
        f"CPU ms server {sample.server:.3f} database {sample.database:.3f}, "
        f"{sample.memory:.0f} MiB, others {sample.others:.2f} cores"
    )


def tables(samples: dict[tuple[str, str], Sample], seconds: int, rounds: int) -> str:
    """One table of figures for each query, then the ratios."""
    lines = [
        f"{CONNECTIONS} connections, {rounds} rounds of {seconds} s; CPU in ms per request. "
        f"Meanwhile other work of the machine took {_others(samples)} cores."
    ]
    for query, title in TITLES.items():
        lines += ["", f"**{query}**: {title}", ""]
        lines += _table(["", "requests/s", "p50 ms", "p99 ms", "server CPU", "database CPU", "memory MiB"])
        for (asked, server), s in samples.items():
            if asked == query:
                figures = (f"{s.rate:.0f}", f"{s.p50:.1f}", f"{s.p99:.1f}", f"{s.server:.2f}")
                lines.append(_row(server, *figures, f"{s.database:.2f}", f"{s.memory:.0f}"))
    kinds = ("server CPU", "server and database CPU", "requests/s")
    lines += ["", "Ratios, ours to theirs; of CPU less is better, of requests more:", ""]
    lines += _table(["", *(f"{kind} / {peer}" for kind in kinds for peer in _BESIDE)])
    for query in TITLES:
        ours = samples[query, OURS]
        theirs = [samples[query, name] for name in _BESIDE.values()]
        ratios = [ours.server / s.server for s in theirs]
        ratios += [(ours.server + ours.database) / (s.server + s.database) for s in theirs]
        ratios += [ours.rate / s.rate for s in theirs]
        lines.append(_row(query, *(f"{ratio:.2f}" for ratio in ratios)))
    return "\n".join(lines)


def _others(samples: dict[tuple[str, str], Sample]) -> str:
    shares = sorted(sample.others for sample in samples.values())
    return f"{shares[0]:.1f} to {shares[-1]:.1f}"


def _table(heads: list[str]) -> list[str]:
    return [_row(*heads), _row("---", *("---:" for _ in heads[1:]))]


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
