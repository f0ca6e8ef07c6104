"""Mail: a brief as a message file, with a plain-text part and with pictures attached, as mail programs want them."""

from __future__ import annotations

from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from hashlib import blake2b

from schedlog_analysis.account.analysis import Analysis
from schedlog_analysis.report.document import Picture
from schedlog_analysis.report.formats import text
from schedlog_analysis.report.formats.brief import brief
from schedlog_analysis.report.formats.html import bind, environment
from schedlog_analysis.report.pictures import draw_png
from schedlog_analysis.report.sections import notes
from schedlog_analysis.report.topics.figures import tiles
from schedlog_analysis.report.values import Facts

# A subject that is folded right after its name comes back from parsers with a space before it.
ON_ONE_LINE = SMTP.clone(max_line_length=998)


def render(facts: Facts, analysis: Analysis) -> bytes:
    """
    Render a message without sender, recipient and date, which are for whoever sends it.

    The subject is the verdict. The parts are plain text, and HTML with its pictures. Nothing in it is random, so that
    the same facts make the same bytes. `X-Unsent` makes mail programs open it as a draft.

    Parameters
    ----------
    facts
        What to say.
    analysis
        What to draw.
    """
    parts = brief(facts)
    pictures = [block for part in parts for block in part.blocks if isinstance(block, Picture)]
    template = environment().get_template("mail.html.j2", globals={"cid": _content_id})
    html = bind(template.render(facts=facts, tiles=tiles(facts), sections=parts, notes=notes(facts)))
    message = EmailMessage(policy=SMTP)
    message["Subject"] = facts["verdict"]
    message["X-Unsent"] = "1"
    message.set_content(text.render(facts))
    message.add_alternative(html, subtype="html")
    page = message.get_payload()[-1]  # type: ignore[index]  # the HTML part just added
    assert isinstance(page, MIMEPart)
    for picture in pictures:
        png, cid, filename = draw_png(facts, analysis, picture.id), f"<{_content_id(picture)}>", f"{picture.id}.png"
        page.add_related(png, "image", "png", cid=cid, disposition="inline", filename=filename)
    _set_boundaries(message, html)
    return message.as_bytes(policy=ON_ONE_LINE)


def _content_id(picture: Picture) -> str:
    return f"{picture.id}@schedlog"


def _set_boundaries(message: EmailMessage, html: str) -> None:
    """Separate the parts by what they say, where others would separate them by chance."""
    digest = blake2b(html.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{digest}_{number}")
