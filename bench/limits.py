"""What it costs to refuse a hostile document, and to let the largest one pass: CPU of one core.

python -m bench.limits
"""

import time
from collections.abc import Callable
from functools import partial

from graph.admission.cost import Cost
from graph.admission.documents import Document, Documents
from graph.admission.pricing import Pricer
from graph.schema import schema
from tests.limits.documents import BOUNDS, HOSTILE

RUNS = 20
_DOCUMENTS = Documents(schema._schema)
_PRICER = Pricer(schema._schema)


def milliseconds(work: Callable[[], object]) -> float:
    """The least CPU time of some runs: what others do on the machine only adds."""
    spent = []
    for _ in range(RUNS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent) * 1000


def read(text: str) -> Document:
    """The document, parsed and validated anew."""
    return _DOCUMENTS._read(text)


def priced(document: Document) -> Cost:
    """What its operation costs, worked out anew."""
    document.prices.clear()
    (operation,) = document.operations.values()
    return _PRICER.price(document, operation).of({})


def main() -> None:
    """Print the tables of docs/limits.md."""
    print("| document | kB | refused for | ms |\n|---|---|---|---|")
    for name, (text, exceeded) in HOSTILE.items():
        assert read(text).errors
        print(f"| {name} | {len(text) / 1000:.1f} | `{exceeded}` | {milliseconds(partial(read, text)):.2f} |")
    print("\n| document at its bound | kB | read, ms | priced, ms |\n|---|---|---|---|")
    for name, (bound, build) in BOUNDS.items():
        text = build(bound)
        document = read(text)
        assert not document.errors
        took = milliseconds(partial(read, text)), milliseconds(partial(priced, document))
        print(f"| {name} | {len(text) / 1000:.1f} | {took[0]:.2f} | {took[1]:.3f} |")


if __name__ == "__main__":
    main()
