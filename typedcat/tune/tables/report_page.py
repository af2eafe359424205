"""The look of `report.html`: a page that needs nothing but itself, in light and dark; a table that can be sorted."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

# Nothing may be loaded from elsewhere: not even by what a metric or an error message smuggles in.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

_STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1c2024; --pale: #5f6772; --line: #dfe3e8; --page: #fff; --card: #f6f7f9;
  --good: 31 153 88; --neutral: 52 120 200; --bad: #b3261e; --accent: #0072b2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6e8eb; --pale: #9aa3ad; --line: #343a42; --page: #15181c; --card: #1e2328;
    --good: 46 180 105; --neutral: 80 150 230; --bad: #ff8a80; --accent: #6cb8e8;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 76rem; color: var(--ink); background: var(--page);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; overflow-wrap: anywhere; }
.pale { color: var(--pale); }
.cards { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
.cards li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem; }
.cards b { display: block; font-size: 1.35rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.cards .best { border-left: .25rem solid rgb(var(--good)); max-width: 30rem; overflow-wrap: anywhere; }
.failed b { color: var(--bad); }
.scroll { overflow: auto; max-height: 36rem; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
td.text, th.text { text-align: left; max-width: 24rem; overflow: hidden; text-overflow: ellipsis; }
tbody th { font-weight: 500; }
thead th { position: sticky; top: 0; background: var(--card); padding: 0; }
thead button {
  all: unset; box-sizing: border-box; width: 100%; padding: .4rem .7rem; cursor: pointer; font-weight: 600;
}
thead button:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
thead button::after { content: "\\2195"; padding-left: .35em; color: var(--pale); opacity: .55; }
th[aria-sort=ascending] button::after { content: "\\2191"; opacity: 1; }
th[aria-sort=descending] button::after { content: "\\2193"; opacity: 1; }
td.good { background: rgb(var(--good) / calc(var(--v) * .45)); }
td.neutral { background: rgb(var(--neutral) / calc(var(--v) * .35)); }
td.top { font-weight: 700; box-shadow: inset 0 0 0 2px rgb(var(--good)); }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(30rem, 100%), 1fr)); gap: 1rem; }
.plots img {
  width: 100%; max-height: 40rem; object-fit: contain; background: #fff; border: 1px solid var(--line);
  border-radius: .5rem; padding: .5rem;
}
.failures { list-style: none; padding: 0; margin: 0; }
.failures li { padding: .5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.reason { color: var(--bad); }
summary { cursor: pointer; }
pre {
  background: var(--card); border-radius: .5rem; padding: .75rem 1rem; overflow: auto; max-height: 24rem;
  font-size: .85rem; white-space: pre-wrap; overflow-wrap: anywhere;
}
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: 0; }
dt { color: var(--pale); } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
@media print { .scroll { max-height: none; } body { max-width: none; } }
"""

# A click on a name sorts by that column, another one turns the order round; what is no number comes last.
_SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const value = (row, i) => row.cells[i].dataset.v ?? row.cells[i].textContent;
  heads.forEach((head, i) => head.firstElementChild.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending", sign = down ? -1 : 1;
    const key = (row) => { const v = value(row, i), x = v === "" ? NaN : Number(v); return [v, x]; };
    const rows = [...body.rows].map((row) => [row, ...key(row)]);
    rows.sort(([, v, x], [, w, y]) => {
      if (v === "" || w === "") return (v === "") - (w === "");
      if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y) || sign * v.localeCompare(w);
      return x === y ? 0 : sign * (x < y ? -1 : 1);
    });
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows.map(([row]) => row));
  }));
}
"""


def page(title: str, parts: Iterable[str]) -> str:
    """The page as a file: its parts, which are HTML, under a title, which is text."""
    return "\n".join([
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        *parts,
        f"<script>{_SCRIPT}</script>",
        "</body>",
        "</html>",
        "",
    ])  # fmt: skip
