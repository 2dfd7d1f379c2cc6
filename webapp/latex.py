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


def tabular(caption: str, header: Sequence[object], lines: Iterable[Sequence[object]], note: str = "") -> str:
    """A floating table for `\\usepackage{booktabs}`; `note` is a comment above it."""
    parts = [
        *(f"% {line}" for line in note.splitlines()),
        r"\begin{table}", r"\centering", rf"\caption{{{escaped(caption)}}}", rf"\begin{{tabular}}{{{'l' * len(header)}}}",
        r"\toprule", _line(header), r"\midrule", *map(_line, lines), r"\bottomrule", r"\end{tabular}", r"\end{table}", "",
    ]  # fmt: skip
    return "\n".join(parts)


def _line(cells: Sequence[object]) -> str:
    return " & ".join(map(escaped, cells)) + r" \\"


def latex_response(
    filename: str, caption: str, header: Sequence[object], lines: Iterable[Sequence[object]], note: str = ""
) -> HttpResponse:
    """An attachment; `filename` is ours, never a user's text."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return HttpResponse(tabular(caption, header, lines, note), content_type="application/x-tex; charset=utf-8", headers=headers)
