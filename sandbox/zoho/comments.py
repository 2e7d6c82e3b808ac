"""What was said of a credit note, and who did what: its history."""

from __future__ import annotations

from sandbox.zoho.records import required, text
from sandbox.zoho.routing import Answer, Call, Route
from sandbox.zoho.wire import Row
from sandbox.zoho.world import Organization

_PATH = "/creditnotes/{creditnote_id}/comments"
# Who the token speaks for, and so who has done whatever is done through the API.
USER = "Robin Owner"


def line(org: Organization, kind: str, operation: str, comment_id: str) -> Row:
    """A line of a document's history."""
    return {
        "comment_id": comment_id,
        "commented_by": USER,
        "comment_type": kind,
        "date": org.today(),
        "operation_type": operation,
    }


def _note(call: Call) -> Row:
    return call.row("creditnotes", "creditnote_id", "Credit Note")


def _add(call: Call) -> Answer:
    note = _note(call)
    required(call.body, "description")
    said = {"description": text(call.body, "description"), **line(call.org, "internal", "Added", call.world.new_id())}
    note["_comments"] = [*note.get("_comments", ()), said]
    call.table("creditnotes").save(note["creditnote_id"])
    return Answer("Comments added.")


def _index(call: Call) -> Answer:
    note = _note(call)
    rows = [{**said, "creditnote_id": note["creditnote_id"]} for said in note.get("_comments", ())]
    return Answer("success", {"comments": rows})


ROUTES = [
    Route("POST", _PATH, "creditnotes.CREATE", _add),
    Route("GET", _PATH, "creditnotes.READ", _index),
]
