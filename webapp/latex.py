"""Tables as LaTeX, for papers: booktabs, numbers as they stand on the page."""

from collections.abc import Iterable, Sequence

from django.http import HttpResponse

ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "×": r"$\times$", "–": "--", "“": "``", "”": "''", "’": "'",
}  # fmt: skip


def escaped(text: object) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(ESCAPES.get(letter, letter) for letter in " ".join(str(text).split()))


def tabular(caption: str, label: str, header: Sequence[object], lines: Iterable[Sequence[object]], comment: str = "") -> str:
    """A floating table for `\\usepackage{booktabs}`; `comment` stands above it.

    The last cell of a line is its protocol, a sentence: each stands once below the table, with the number by which its lines name it.
    """
    protocols: dict[object, int] = {}
    rows = [[*cells, protocols.setdefault(protocol, len(protocols) + 1) if protocol else ""] for *cells, protocol in lines]
    notes = [rf"\\[2pt]{{\footnotesize {number}: {escaped(protocol)}}}" for protocol, number in protocols.items()]
    parts = [
        *(f"% {line}" for line in comment.splitlines()),
        r"\begin{table}", r"\centering", rf"\caption{{{escaped(caption)}}}", rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{'l' * len(header)}}}", r"\toprule", _line(header), r"\midrule", *map(_line, rows), r"\bottomrule",
        r"\end{tabular}", *notes, r"\end{table}", "",
    ]  # fmt: skip
    return "\n".join(parts)


def _line(cells: Sequence[object]) -> str:
    return " & ".join(map(escaped, cells)) + r" \\"


def latex_response(name: str, caption: str, header: Sequence[object], lines: Iterable[Sequence[object]], comment: str = "") -> HttpResponse:
    """An attachment; `name`, of the file and of the label, is ours, never a user's text."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.tex"'}
    text = tabular(caption, name, header, lines, comment)
    return HttpResponse(text, content_type="application/x-tex; charset=utf-8", headers=headers)
