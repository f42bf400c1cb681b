"""Pages of HTML that stand alone: no network, no script, light and dark, on a phone and in print.

Whatever comes from outside is escaped here, in one function; the page's own policy forbids scripts besides.
"""

from collections.abc import Iterable
from datetime import tzinfo
from html import escape
from importlib.resources import files

from alovoice_cli.masking import disarm
from alovoice_cli.speech.exports import names, side_of, tag_lines, title
from alovoice_cli.speech.talk import Fragment, Talk, clock, marks

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(heading: str, parts: Iterable[str]) -> str:
    """A whole page; `heading` is text, the parts are HTML already."""
    style = files("alovoice_cli.speech").joinpath("page.css").read_text("utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="robots" content="noindex">\n'
        f"<title>{safe(heading)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{safe(heading)}</h1>\n" + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


def safe(text: str) -> str:
    """Text as HTML: its markup escaped, its control and direction characters shown."""
    return escape(disarm(text, one_line=False))


def talk_section(talk: Talk, zone: tzinfo, *, level: int = 2) -> str:
    """A talk as a section: its title, the dialogue, its tags."""
    said = "\n".join(_said(part) for part in talk.fragments) or '<p class="nothing">Nothing was said.</p>'
    tags = "".join(f"<li>{safe(line)}</li>" for line in tag_lines(talk))
    below = f'<ul class="tags" aria-label="Tags">{tags}</ul>\n' if tags else ""
    head = f"<h{level}>{safe(title(talk, zone))}</h{level}>"
    return f'<section class="talk">\n{head}\n<div class="dialogue">\n{said}\n</div>\n{below}</section>'


def _said(part: Fragment) -> str:
    tags = "".join(f' <span class="tag">{safe(name)}</span>' for name in names(part.tags))
    time = f"<time>{safe(clock(part.begin_ms))}</time> " if part.begin_ms is not None else ""
    who = safe(part.direction) or "?"
    return f'<div class="said {side_of(part)}"><p class="who">{time}{who}{tags}</p><p>{_marked(part)}</p></div>'


def _marked(part: Fragment) -> str:
    text, at = "", 0
    for begin, end in marks(part):
        text += safe(part.text[at:begin]) + f"<mark>{safe(part.text[begin:end])}</mark>"
        at = end
    return text + safe(part.text[at:])
