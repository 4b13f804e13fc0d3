"""Names that are not among a tool's arguments: slips for one that is, or what a client adds to every call."""

import re
from collections.abc import Collection, Container

_CLOSE = 0.75  # how much of two names must agree for one to be a slip for the other
_LONG = 100
_ADDED = {
    *("waitforprevious", "waitforprevioustools", "explanation", "reason", "reasoning", "rationale", "justification"),
    *("thought", "thoughts", "thinking", "intent", "summary", "toolsummary", "toolaction", "toolcallid", "callid"),
    *("sessionid", "chatid", "chatinput", "requestid", "conversationid", "threadid", "userid", "action", "meta"),
    *("description", "title", "taskprogress", "securityrisk", "isbackground", "requiresapproval", "timeout"),
}
_OTHER_WORDS = {
    "query": "q question searchquery searchtext querytext querystring userquery originalquery text input prompt term "
    "terms keyword keywords search string",
    "queries": "questions query",
    "rewordings": "rewrites rephrasings paraphrases synonyms variants variations alternatives "
    "alternativequeries queries searches",
    "hypothetical_passage": "hyde passage hypothetical hypotheticalanswer hypotheticaldocument",
    "avoid": "exclude without negative negatives notabout",
    "search_id": "id handle searchhandle offset skip page cursor",
    "collection": "collections collectionname index indexname dataset database namespace",
    "limit": "k n top topk topn num number count size max maximum maxhits maxresults numresults nresults resultcount "
    "numhits nhits hits results pagesize perpage",
    "filter": "filters where conditions queryfilter metadatafilter",
    "read": "open show expand fetch get readhits",
    "detail": "details full mode verbosity format",
    "include_scores": "score scores minscore minimumscore scorethreshold threshold withscores returnscores",
    "include_ids": "ids pointids withids",
    "scores": "score rating ratings grades feedback relevance relevances judgments judgements labels",
    "judge": "model judgemodel scorer grader",
    "job_id": "id job trainingid",
    "wait_seconds": "wait waittime seconds maxwait",
}
_SINGLE_WORDS = {
    **dict.fromkeys(("threshold", "cutoff", "score", "scores", "similarity"), ("include_scores", "scores")),
    **{word: (word,) for word in ("query", "queries", "rewordings", "avoid", "collection", "limit", "filter", "judge")},
}
_ours: set[str] = set()


def keep(names: Collection[str]) -> None:
    """Note the arguments of a tool: what one has is a slip, and no addition, where it is sent to another."""
    _ours.update(names)


def is_addition(name: str, known: Collection[str], sent: Container[str]) -> bool:
    """Tell whether an unknown argument is a client's own, rather than a slip for one of ours.

    Another word for an argument that was sent too is an addition; a misspelling never is.
    """
    if _plain(name) in _ADDED:
        return True
    if name in _ours or _misspelt(name, known):
        return False
    right = _other_word(name, known)
    return not right or right in sent


def argument_meant(name: str, known: Collection[str]) -> str:
    """Find the argument that somebody meant; empty where it is none of these."""
    return _other_word(name, known) or _misspelt(name, known)


def _misspelt(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  for slips alone

    by_plain = {_plain(one): one for one in known}
    close = get_close_matches(_plain(name)[:_LONG], by_plain, n=1, cutoff=_CLOSE)
    return by_plain[close[0]] if close else ""


def _other_word(name: str, known: Collection[str]) -> str:
    plain = _plain(name)
    if right := next((one for one in known if plain in _OTHER_WORDS.get(one, "").split()), ""):
        return right
    words = re.findall(r"[A-Z]?[a-z]+", name[:_LONG])
    meant = (right for word in words for right in _SINGLE_WORDS.get(word.lower(), ()))
    return next((right for right in meant if right in known), "")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
