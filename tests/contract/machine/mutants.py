"""Wrong lines that the machine must find.

To add one: what goes wrong in words, then the script, the right text (once in it), the wrong text.
"""

from typing import Final

from tests.contract.machine.rig import Mutant

_RETURN: Final = "then return"
_NEVER: Final = "and false then return"


def without(script: str, check: str) -> Mutant:
    """Give the script that lacks one of its checks."""
    assert check.count(_RETURN) == 1
    return Mutant(script, check, check.replace(_RETURN, _NEVER))


def lacking(script: str, line: str) -> Mutant:
    """Give the script that lacks one of its calls."""
    return Mutant(script, line, "do end")


GATEWAY: Final = {
    "append takes a duplicate": without("append", "if sequence < next_sequence then return"),
    "append leaves a gap": without("append", "if sequence > next_sequence then return"),
    "append takes from an old connection": without("append", "if held[1] ~= ARGV[2] then return"),
    "append goes on behind the end": without("append", "if held[3] then return"),
    "append has no bound": Mutant("append", "samples > int(ARGV[6])", "samples < 0"),
    "append blocks a first chunk": Mutant("append", "backlog > 0 and backlog", "backlog"),
    "append counts a chunk not": Mutant("append", "received + samples", "received"),
    "append forgets the decoder": Mutant("append", "'carry', ARGV[5]", "'carry', ''"),
    "append keeps no state behind a chunk": Mutant("append", "at, 'r', ARGV[5]", "at, 'r', ''"),
    "append wakes nobody": lacking("append", "want_worker(at)"),
    "append lets a session expire": lacking("append", "live(ARGV[7])"),
    "attach keeps the old connection": Mutant("attach", "'conn', 1)", "'conn', 0)"),
    "attach counts no connections": Mutant("attach", "'connections', 1)", "'connections', 0)"),
    "attach forgets the state before": Mutant("attach", "get('before') or ", ""),
    "attach counts as absence": lacking(
        "attach", "redis.call('ZADD', SESSIONS, at + ARGV[3], SID)"
    ),
    "create wipes what is there": without(
        "create", "if redis.call('EXISTS', META) == 1 then return"
    ),
    "mark takes from an old connection": Mutant(
        "mark", "elseif held[1] ~= ARGV[2] then", "elseif false then"
    ),
    "mark repeats itself": Mutant("mark", "if kind == held[6] or", "if false or"),
    "mark puts finalize behind idle": Mutant("mark", "held[6] == 'idle'", "held[6] == ''"),
    "mark takes the same place twice": Mutant("mark", "n = int(held[5]) + 1", "n = 1"),
    "mark stands where it arrives": without("mark", "if sequence > int(ARGV[7]) then return"),
    "mark overlooks lost audio": without("mark", "if sequence < int(ARGV[7]) then return"),
    "mark ends twice": without("mark", "if held[3] then return"),
    "mark ends who is still there": Mutant("mark", "SID)) > at then", "SID)) < 0 then"),
    "mark does not end": lacking("mark", "redis.call('HSET', META, 'ended', 1)"),
    "mark loses count of the tail": Mutant("mark", " + #ARGV[4] / 2", ""),
    "mark wakes nobody": lacking("mark", "want_worker(at)"),
    "poll forgets the figures": Mutant(
        "poll", "redis.call('HSET', META, 'figures', ARGV[5])", "do end"
    ),
    "poll figures nothing": Mutant("poll", "if ARGV[5] ~= '' then", "if true then"),
    "poll hands nothing over": lacking("poll", "hand(ARGV[6])"),
    "poll hides the newer connection": Mutant("poll", "answer[1] = -4", "answer[1] = 1"),
    "poll hides another life": Mutant("poll", "held[6], held[7],", "held[6], '',"),
    "poll counts as absence": lacking("poll", "redis.call('ZADD', SESSIONS, at + ARGV[4], SID)"),
    "transition obeys an old connection": without(
        "transition", "if held[1] ~= ARGV[2] then return"
    ),
    "transition forgets the state before": Mutant("transition", "== 'reconnecting'", "== ''"),
    "transition hands nothing over": lacking("transition", "hand(ARGV[4])"),
    "transition from anywhere": Mutant("transition", "if held[2] == ARGV[i] then", "if true then"),
}

TRANSCRIBER: Final = {
    "claim ignores leases": Mutant("claim", "LEASES, '-inf', at,", "LEASES, '-inf', '+inf',"),
    "claim leaves the dead their sessions": Mutant(
        "claim", "LEASES, '-inf', at,", "LEASES, '-inf', 0,"
    ),
    "claim raises no fence": lacking("claim", "redis.call('HSET', FENCES, sid, token)"),
    "claim counts no tries": Mutant("claim", "TRIES, sid, 1)", "TRIES, sid, 0)"),
    "claim leaves it waiting": lacking("claim", "leave_lines(sid)"),
    "claim takes the newest": Mutant(
        "claim", "'ZRANGE', WAITING, 0, room - 1,", "'ZREVRANGE', WAITING, 0, room - 1,"
    ),
    "renew helps an old owner": Mutant("renew", "== ARGV[i + 1] then", "~= '' then"),
    "renew makes a lease": Mutant("renew", "'XX', ", ""),
    "beat hears itself": Mutant("beat", "elseif held[i] ~= ARGV[1] then", "else"),
    "beat hears the silent": Mutant("beat", "int(since) + ARGV[3] <= at", "false"),
    "beat hears too little": Mutant("beat", "+ ARGV[3] <= at", "+ ARGV[3] <= at + 1"),
    "beat hears too much": Mutant("beat", "+ ARGV[3] <= at", "+ ARGV[3] < at"),
    "beat says when it began": Mutant("beat", "'HSET', KEYS[1]", "'HSETNX', KEYS[1]"),
    "beat tells another time": Mutant("beat", "{at}", "{at - 1}"),
    "release by an old owner": without(
        "release", "if redis.call('HGET', FENCES, SID) ~= ARGV[2] then return"
    ),
    "release forgets the audio": Mutant("release", "if first then", "if false then"),
    "release keeps the lease": lacking("release", "redis.call('ZREM', LEASES, SID)"),
    "commit by an old owner": Mutant(
        "commit", "redis.call('HGET', FENCES, SID) ~= ARGV[2] or ", ""
    ),
    "commit to what is gone": Mutant("commit", " or redis.call('EXISTS', META) == 0", ""),
    "commit twice": without("commit", "if int(ARGV[3]) <= int(held[1]) then return"),
    "commit leaves a gap": without("commit", "if int(ARGV[3]) > int(held[1]) + 1 then return"),
    "commit forgets the decoder": Mutant("commit", "if last then", "if false then"),
    "commit trims a marker": Mutant("commit", "'MINID', ARGV[5]", "'MINID', (ARGV[6] + 1) .. '-0'"),
    "commit trims too little": Mutant("commit", "'MINID', ARGV[5]", "'MINID', ARGV[4]"),
    "commit does not trim": lacking("commit", "redis.call('XTRIM', AUDIO, 'MINID', ARGV[5])"),
    "commit moves the open window": Mutant("commit", "if not open then", "if true then"),
    "commit misses a silence by one": Mutant(
        "commit", "int(ARGV[18]) - last_end >= window", "int(ARGV[18]) - last_end > window"
    ),
    "commit overlooks what it heard": Mutant(
        "commit", "int(ARGV[10]) - last_end >= window", "false"
    ),
    "commit overlooks idle": Mutant("commit", "ARGV[14] == '1'", "false"),
    "commit keeps the old end": Mutant("commit", "last_end = int(ARGV[19])", "last_end = last_end"),
    "commit keeps the tries": lacking("commit", "redis.call('HDEL', TRIES, SID)"),
    "commit lets go of waiting audio": Mutant(
        "commit", "'XLEN', AUDIO) == 0", "'XLEN', AUDIO) >= 0"
    ),
    "commit lets go in a lull": Mutant("commit", "sub(ARGV[4], -2) ~= '-0'", "len(ARGV[4]) > 0"),
    "commit holds on to nothing": Mutant("commit", "'XLEN', AUDIO) == 0", "'XLEN', AUDIO) < 0"),
    "commit holds on behind a marker": Mutant("commit", "~= '-0' then", "== '' then"),
    "commit counts no silence": Mutant("commit", "'silence', ARGV[12]", "'silence', 0"),
    "commit forgets what is measured": Mutant(
        "commit", "redis.call('HSET', META, 'measured', ARGV[20])", "do end"
    ),
    "commit measures nothing": Mutant("commit", "if ARGV[20] ~= '' then", "if true then"),
    "commit rings no bell": Mutant("commit", "ring()\nreturn {1, event}", "return {1, event}"),
}

AGGREGATOR: Final = {
    "close by a stale look": without("close", "if (get('wfrom') or '') ~= ARGV[2] then return"),
    "close over a newer final": without("close", "if ARGV[3] == '' and not seen then return"),
    "close though something is new": Mutant("close", "if seen then", "if true then"),
    "close keeps the window": Mutant("close", "'wfrom', ARGV[3])", "'wfrom', ARGV[2])"),
    "close opens nothing": lacking("close", "redis.call('HDEL', META, 'wfrom')"),
    "close rings no bell": lacking("close", "ring()"),
    "complete twice": Mutant("complete", "or get('finished') then", "then"),
    "complete hides an error": Mutant("complete", "if status ~= 'error' then", "if true then"),
    "complete keeps its places": lacking("complete", "forget()"),
    "defer makes due": Mutant("defer", "'XX', ", ""),
    "defer always the same": Mutant("defer", "tried - 1", "0"),
    "postpone revives": without(
        "postpone", "if not redis.call('ZSCORE', SESSIONS, SID) then return"
    ),
    "postpone not": lacking("postpone", "redis.call('ZADD', SESSIONS, now() + ARGV[3], SID)"),
    "remove who is still there": Mutant("remove", "or int(until_ms) > now()", ""),
    "remove half": Mutant("remove", "META, AUDIO, LOG)", "META, AUDIO)"),
    "remove keeps its places": lacking("remove", "forget()"),
    "remove may be undone": Mutant("remove", "if not abandoned then", "if false then"),
    "remove for good who was only away": Mutant("remove", "if not abandoned then", "if true then"),
}

SAVES: Final = {
    "save for an old connection": without("save", "if fields[2] ~= ARGV[2] then return"),
    "save behind the end": Mutant("save", "if ended[1] and", "if false and"),
    "save tells again": Mutant("save", "(ARGV[3] + 1)", "(ARGV[3] + 0)"),
    "save to whom knows more": Mutant("save", "news < 0 or ", ""),
    "restore what was removed": without(
        "restore", "if redis.call('EXISTS', REMOVED) == 1 then return"
    ),
    "restore what is there": without(
        "restore",
        "if held[3] and int(held[1]) >= int(ARGV[8]) and int(held[2]) >= event then return",
    ),
    "restore trusts what was done": Mutant("restore", "and int(held[1]) >= int(ARGV[8]) ", ""),
    "restore trusts what was told": Mutant("restore", " and int(held[2]) >= event", ""),
    "restore to the owner before": Mutant(
        "restore",
        "redis.call('HSET', FENCES, SID, newer(redis.call('HGET', FENCES, SID)))",
        "do end",
    ),
    "restore with a lease": lacking("restore", "redis.call('ZREM', LEASES, SID)"),
    "restore what waits": lacking("restore", "leave_lines(SID)"),
    "restore with tries": lacking("restore", "redis.call('HDEL', TRIES, SID)"),
    "restore in between": Mutant("restore", "META, AUDIO, LOG)", "META, LOG)"),
    "restore to the connection before": Mutant(
        "restore", "math.max(int(held[3]), int(ARGV[4]), at)", "int(ARGV[4])"
    ),
    "restore to no decoder": Mutant("restore", "'carry', ARGV[17]", "'carry', ''"),
    "restore for one loss": Mutant("restore", "'carried', ARGV[17]", "'carried', ''"),
    "restore forgets a marker": Mutant("restore", "if n ~= '0' then", "if false then"),
    "restore makes nothing due": lacking("restore", "redis.call('ZADD', DUE, at, SID)"),
    "restore to nobody": lacking("restore", "redis.call('ZADD', SESSIONS, at + ARGV[23], SID)"),
    "restore for ever": lacking("restore", "live(ARGV[22])"),
    "restore rings no bell": lacking("restore", "ring()"),
}

TRANSLATIONS: Final = {
    "translate what is gone": without("translate", "if not held[1] then return"),
    "translate of another life": without(
        "translate", "if ARGV[4] ~= '' and ARGV[4] ~= held[1] then return"
    ),
    "translate a final twice": without("translate", "if held[3] then return"),
    "translate what is no final": without(
        "translate", "if logged(ARGV[2]).type ~= 'final.v1' then return"
    ),
    "translate none twice": Mutant("translate", "elseif held[3] and", "elseif false and"),
    "translate none once": Mutant(
        "translate", " and logged(held[3]).text == cmsgpack.unpack(ARGV[6]).text", ""
    ),
    "translate forgets the place": lacking(
        "translate", "redis.call('HSET', META, ARGV[3], number)"
    ),
    "translate counts nothing": lacking(
        "translate", "redis.call('HINCRBY', META, 'translated', #ARGV[6])"
    ),
    "translate has no bound": without(
        "translate", "if int(held[2]) + #ARGV[6] > int(ARGV[5]) then return"
    ),
    "translate goes beyond the bound": Mutant(
        "translate", "int(held[2]) + #ARGV[6]", "int(held[2])"
    ),
    "translate for ever": lacking(
        "translate", "redis.call('PEXPIRE', LOG, redis.call('PTTL', META))"
    ),
    "translate rings no bell": lacking("translate", "ring()"),
    "restore forgets translations": Mutant(
        "restore", "redis.call('HSET', META, name, value)", "do end"
    ),
    "complete is nowhere": Mutant(
        "complete", "'finished', record(ARGV[2])", "'finished', 1, 'x', record(ARGV[2])"
    ),
}

EVERYWHERE: Final = {
    "events have one number": Mutant("session", "'event', 1)", "'event', 2)"),
    "an owned session waits too": Mutant(
        "session", "if not redis.call('ZSCORE', LEASES, SID) and", "if"
    ),
    "waiting begins anew": Mutant("lines", "WAITING, 'NX', since", "WAITING, since"),
    "forget leaves the lease": Mutant("session", "{LEASES, DUE, SESSIONS}", "{DUE, SESSIONS}"),
    "tokens follow no clock": Mutant(
        "prelude", "math.max(int(token) + 1, now())", "int(token) + 1"
    ),
    "tokens repeat": Mutant("prelude", "math.max(int(token) + 1, now())", "now()"),
    "what was handed over is taken back": Mutant(
        "session", "int(number) > int(get('handed'))", "true"
    ),
    "forget leaves the fence": Mutant("session", "{FENCES, TRIES, ", "{TRIES, "),
    "forget leaves it waiting": lacking("session", "leave_lines(SID)"),
    "the log never expires": lacking("session", "redis.call('PEXPIRE', LOG, longest)"),
    "the audio never expires": lacking("session", "redis.call('PEXPIRE', AUDIO, idle_ms)"),
}

DELIVERIES: Final = {
    "news is delivered nowhere": lacking(
        "session", "redis.call('ZADD', OUTGOING, 'NX', at, place)"
    ),
    "news ends a wait": Mutant("session", "OUTGOING, 'NX', at, place", "OUTGOING, at, place"),
    "create delivers nowhere": Mutant("create", "if ARGV[6] ~= ''", "if false"),
    "remove leaves deliveries": lacking("remove", "redis.call('ZREM', OUTGOING, place)"),
    "restore waits as before": lacking("restore", "redis.call('ZREM', OUTGOING, place)"),
    "restore delivers nowhere": Mutant("restore", "if ARGV[24] ~= ''", "if false"),
    "take before the time": Mutant("take", "'-inf', at,", "'-inf', '+inf',"),
    "take for everybody": lacking("take", "redis.call('ZADD', KEYS[1], at + ARGV[1], member)"),
    "take more than asked": Mutant("take", "0, ARGV[2])", "0, ARGV[2] + 1)"),
    "hold what is another's": Mutant("hold", "due > at and", "due > 0 and"),
    "hold ends a wait": Mutant("hold", " and due < at + ARGV[1]", ""),
    "hold nothing": Mutant("hold", "at + ARGV[1], ARGV[i])", "due, ARGV[i])"),
    "put off what is not there": Mutant(
        "putoff", "if redis.call('ZSCORE', KEYS[1], ARGV[i]) then", "if true then"
    ),
    "put off for nobody": Mutant("putoff", "now() + ARGV[1]", "now() + 9999"),
    "settle in another life": without("settle", "if held[1] ~= ARGV[3] then return"),
    "settle by an old cursor": without("settle", "int(held[2]) ~= int(ARGV[5]) then return"),
    "settle not when repeated": Mutant("settle", " and int(held[2]) ~= int(ARGV[5])", ""),
    "settle writes a letter twice": Mutant("settle", " and int(held[2]) == int(ARGV[4])", ""),
    "settle keeps the tries": Mutant(
        "settle", "redis.call('HDEL', META, 'tries:' .. name)", "do end"
    ),
    "settle moves no cursor": lacking("settle", "redis.call('HSET', META, cursor, ARGV[5])"),
    "settle forgets who is gone": Mutant("settle", "if ARGV[11] == '1'", "if false"),
    "settle overlooks what follows": Mutant("settle", "> int(ARGV[5]) then", "< 0 then"),
    "settle lets go of what follows": lacking(
        "settle", "redis.call('ZADD', OUTGOING, now() + ARGV[6], place)"
    ),
    "settle keeps the place": Mutant(
        "settle", "redis.call('ZREM', OUTGOING, place)\nif held[4]", "if held[4]"
    ),
    "settle keeps the place of what is gone": Mutant(
        "settle", "redis.call('ZREM', OUTGOING, place)\n  return -5", "return -5"
    ),
    "retry in another life": Mutant("retry", "held[1] ~= ARGV[3] or ", ""),
    "retry by an old cursor": Mutant("retry", "int(held[2]) ~= int(ARGV[4]) or ", ""),
    "retry counts twice": Mutant("retry", " or int(held[3]) ~= int(ARGV[5])", ""),
    "retry counts not": Mutant("retry", "tries, ARGV[5] + 1", "tries, ARGV[5]"),
    "retry at once": Mutant("retry", "now() + ARGV[6], place", "now(), place"),
    "retry keeps the place of what is gone": lacking(
        "retry", "redis.call('ZREM', OUTGOING, place)"
    ),
    "resend what is not there": Mutant(
        "resend", "if redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1] then", "if true then"
    ),
    "resend takes from who has it in hand": Mutant("resend", "'NX', ", ""),
    "resend in the order of the letters": Mutant("resend", "math.min(int(ARGV[i + 1]), at)", "at"),
    "resend of what is to come": Mutant(
        "resend", "math.min(int(ARGV[i + 1]), at)", "int(ARGV[i + 1])"
    ),
    "redeem beside another": without(
        "redeem", "if redis.call('ZCOUNT', KEYS[1], '(' .. at, '+inf') > 0 then return"
    ),
    "redeem for everybody": lacking("redeem", "redis.call('ZADD', KEYS[1], at + ARGV[1], id)"),
    "redeem more than asked": Mutant("redeem", "0, ARGV[2] - 1)", "0, ARGV[2])"),
    "dispose twice": Mutant("dispose", "if not entry then return 0", "if not entry then return 1"),
    "dispose keeps it to be resent": lacking("dispose", "redis.call('ZREM', KEYS[3], ARGV[1])"),
    "dispose loses what failed": Mutant("dispose", "if ARGV[2] ~= ''", "if false"),
    "letters have no bound": Mutant("letters", "(count > most or bytes", "(bytes"),
    "letters may take any room": Mutant("letters", "most or bytes > most_bytes) do", "most) do"),
    "letters make room for one too many": Mutant("letters", "bytes > most_bytes) do", "true) do"),
    "a letter makes no room for itself": Mutant("letters", "count > 1 and", ""),
    "letters take no room": lacking("letters", "redis.call('HINCRBY', size, 'bytes', #letter)"),
    "letters that went take room": lacking(
        "letters", "redis.call('HINCRBY', size, 'bytes', -letter_bytes(entry))"
    ),
    "letters are counted once": Mutant("letters", "~= redis.call('XLEN', letters)", "== -1"),
    "letters that nobody counted go": Mutant(
        "letters", "'letters', count, 'bytes', bytes)", "'letters', count, 'bytes', most_bytes)"
    ),
    "letters go unseen": lacking("letters", "redis.call('HINCRBY', size, 'dropped', 1)"),
    "letters that nobody counted go unseen": lacking(
        "letters", "redis.call('HINCRBY', size, 'dropped', older)"
    ),
    "letters stay for ever": lacking("expire", "drop_letter(KEYS[1], KEYS[2], oldest)"),
}

POLICIES: Final = {
    "claim takes more than asked": Mutant("claim", "while room > 0 and", "while"),
    "claim takes from another line too early": Mutant(
        "claim", "LINE, '-inf', at,", "LINE, '-inf', '+inf',"
    ),
    "claim takes what no lease holds": Mutant(
        "claim", "if policy_of(expired[i]) then", "if false then"
    ),
    "claim leaves the lease of whom it sends back": lacking(
        "claim", "redis.call('ZREM', LEASES, expired[i])"
    ),
    "claim loses whom it sends back": lacking("claim", "join_lines(expired[i], expired[i + 1])"),
    "claim sees one line alone": Mutant(
        "claim", "any[i] and (not this[j] or", "any[i] and (true or"
    ),
    "create forgets the policy": Mutant("create", "if ARGV[8] ~= '' then", "if false then"),
    "restore forgets the policy": Mutant("restore", "if ARGV[27] ~= '' then", "if false then"),
    "release has nobody rest": Mutant("release", "if ARGV[3] ~= '' then", "if false then"),
    "poll overlooks who is in line": Mutant("poll", " or redis.call('ZSCORE', LINED, SID)", ""),
    "commit keeps no engine": Mutant("commit", ", 'engine', ARGV[21])", ")"),
    "commit leaves it in line": lacking("commit", "leave_lines(SID)"),
    "forget leaves the policy": Mutant("session", "TRIES, POLICIES}", "TRIES}"),
    "the wait in line begins anew": Mutant("lines", "LINED, 'NX', since", "LINED, since"),
    "an engine does not keep what it had": Mutant("lines", "engine == before and 1 or ", ""),
    "all choices come at once": Mutant("lines", "at + turn * grace", "at"),
    "older audio does not come first": Mutant(
        "lines", "turn == 0 and since or", "turn == 0 and at or"
    ),
    "who rests takes a turn": Mutant("lines", "if from <= at then", "if true then"),
    "nobody leaves a line": Mutant("lines", "redis.call('ZREM', line_of(engine), sid)", ""),
    "nobody leaves the wait": lacking("lines", "redis.call('ZREM', LINED, sid)"),
    "all engines rest": Mutant("lines", "if engine == resting then", "if true then"),
}
"""For the machine with policies."""

MUTANTS: Final = DELIVERIES | GATEWAY | TRANSCRIBER | AGGREGATOR | SAVES | TRANSLATIONS | EVERYWHERE
