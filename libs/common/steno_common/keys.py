"""Every Redis name of Steno.

All keys of a session and the indexes of its shard carry one hash tag, so that one script may touch
them together, on a single Redis as on a Cluster. The number of shards is fixed at install.

    per session                       holds                                          lives
    steno:{s7}:session:SID   hash     the fields below                               idle or `keep`
    steno:{s7}:audio:SID     stream   <sequence>-0: d PCM, t arrival ms              until committed
                                      <sequence>-n: c finalize|idle|end, d tail PCM
                                      r decoder state behind the chunk
    steno:{s7}:log:SID       stream   <number>-0: p encoded event, t ms it was made  idle or `keep`
    steno:{s7}:removed:SID   string   there: not to be restored by a client          idle TTL

    per name that a user gives to a session, in the shard of the name
    steno:{s7}:name:KEY:NAME string   SID; KEY is the name of the API key          idle TTL

    per shard                         holds                                          bound
    steno:{s7}:waiting       zset     SID -> arrival ms of its oldest audio, for     sessions
                                      any engine
    steno:{s7}:lined         zset     the same of sessions with a policy             sessions
    steno:{s7}:line:ENGINE   zset     SID -> ms from which on this engine may claim  sessions
                                      it, of those in `lined`
    steno:{s7}:policies      hash     SID -> engines that may take it, see           sessions
                                      policy.py
    steno:{s7}:leases        zset     SID -> expiry ms, sessions a worker owns       sessions
    steno:{s7}:fences        hash     SID -> token of the newest owner               sessions
    steno:{s7}:tries         hash     SID -> claims since the last commit            sessions
    steno:{s7}:due           zset     SID -> ms when the aggregator must look        sessions
    steno:{s7}:sessions      zset     SID -> ms when it counts as abandoned          sessions
    steno:{s7}:events        stream   doorbells, partials for the notifier           about 10,000
    steno:{s7}:outgoing      zset     SID|NAME -> ms when that destination of the    destinations
                                      session must be looked at
    steno:{s7}:letters       stream   p encoded Letter: what could not be delivered  STENO_LETTERS,
                                                                                     1 KiB each
    steno:{s7}:letters_size  hash     letters, bytes: how many they are, what they   1
                                      take; dropped: how many had no room
    steno:{s7}:replay        zset     id of a letter to be resent -> ms when its     letters
                                      event was made; in hand: until then
    steno:{s7}:workers       hash     worker -> ms of its last word, how it stands   transcribers
                                      at the lowest shard of each Redis
    steno:{s7}:seal          string   last write before waiting for replicas         1

    channels
    steno:wake               a session began to wait for a transcriber
    steno:{s7}:live:SID      doorbells and partials of one session

Fields of the session hash, each written by one script:

    config      encoded Session               status, before   state, state before reconnecting
    epoch       changes when Redis lost data  conn             number of the newest connection
    connections connections so far            carried          decoder state after `done`
    next        next sequence number          received         samples stored
    carry       decoder state after next-1    mseq, mn, mkind  last marker
    seen        client last seen, ms          audio_ms         last audio, ms
    ended       1 once the input ended        commits          commits so far
    consumed    audio id committed through    done             last chunk wholly committed
    offset      position of the first sample kept in the audio stream
    border      position committed through    context          engine's text for what follows
    transcribed, silence                      samples committed with and without speech
    event       number of the newest event    wfrom            first final of the open utterance
    last_end    end of the newest final       utterances, finals   counts
    heard       no final begins before this   deferrals  looks put off since a save failed
    lat_sum, lat_n                            latency of finals, ms
    measured    encoded Measured, as of the newest commit
    figures     what its gateway measures of its connection, in the gateway's own form
    handed      number of the last event that a socket of its client took
    finished    number of `completed`, once the transcript is saved
    tr:EVENT:LANGUAGE     number of the translation of a final, of event 0 the last one
    translated            bytes of all translations, as in the log
    deliver     names of its destinations, comma-separated; none: it is not delivered
    keep        ms that it lives at least while something is to be delivered
    to:NAME     number of the last event that this destination got, or does not want
    tries:NAME  failed tries of the next one
    gone:NAME   1 once it said that it takes nothing any more
    engine      engine of the newest commit
"""

from dataclasses import dataclass
from typing import Final
from zlib import crc32

WAKE_CHANNEL: Final = "steno:wake"
EVENTS_GROUP: Final = "notifier"
EVENTS_BOUND: Final = 10_000


@dataclass(frozen=True, slots=True)
class ShardKeys:
    """Names of one shard's indexes."""

    shard: int

    def name(self, kind: str) -> str:
        """Give the key of one kind."""
        return f"steno:{{s{self.shard}}}:{kind}"

    def session(self, session_id: str) -> "SessionKeys":
        """Give the names of a session that lives in this shard."""
        return SessionKeys(self.shard, session_id)

    @property
    def waiting(self) -> str:
        """Sessions with audio and no owner, for any engine."""
        return self.name("waiting")

    @property
    def lined(self) -> str:
        """Sessions with audio and no owner, for engines of their policies."""
        return self.name("lined")

    @property
    def policies(self) -> str:
        """Engines that may take each session, of those with a policy."""
        return self.name("policies")

    def line(self, engine: str) -> str:
        """Sessions that one engine may claim, from when on."""
        return self.name(f"line:{engine}")

    @property
    def leases(self) -> str:
        """Sessions with an owner."""
        return self.name("leases")

    @property
    def fences(self) -> str:
        """Newest owner's token of each session."""
        return self.name("fences")

    @property
    def tries(self) -> str:
        """Claims of each session since its last commit."""
        return self.name("tries")

    @property
    def due(self) -> str:
        """Sessions the aggregator must look at."""
        return self.name("due")

    @property
    def sessions(self) -> str:
        """Live sessions with the time they count as abandoned."""
        return self.name("sessions")

    @property
    def events(self) -> str:
        """Doorbells and partials on their way to the notifier."""
        return self.name("events")

    @property
    def outgoing(self) -> str:
        """Destinations of sessions with the time when each must be looked at."""
        return self.name("outgoing")

    @property
    def letters(self) -> str:
        """Dead letters."""
        return self.name("letters")

    @property
    def letters_size(self) -> str:
        """How many dead letters there are, what they take."""
        return self.name("letters_size")

    @property
    def replay(self) -> str:
        """Dead letters that are to be sent again."""
        return self.name("replay")

    @property
    def workers(self) -> str:
        """Transcribers, as those of them say that know this Redis."""
        return self.name("workers")

    @property
    def seal(self) -> str:
        """What is written last before replicas are waited for."""
        return self.name("seal")


@dataclass(frozen=True, slots=True)
class SessionKeys(ShardKeys):
    """Names of one session's keys, beside those of its shard."""

    session_id: str

    @property
    def meta(self) -> str:
        """Hash of the session."""
        return self.name(f"session:{self.session_id}")

    @property
    def audio(self) -> str:
        """Stream of chunks and markers."""
        return self.name(f"audio:{self.session_id}")

    @property
    def log(self) -> str:
        """Numbered events."""
        return self.name(f"log:{self.session_id}")

    @property
    def removed(self) -> str:
        """There while a removed session must not come back."""
        return self.name(f"removed:{self.session_id}")

    @property
    def live(self) -> str:
        """Channel of doorbells and partials."""
        return self.name(f"live:{self.session_id}")


@dataclass(frozen=True, slots=True)
class NameKeys(ShardKeys):
    """Where it is kept for which session a name stands."""

    owner: str
    """Name of an API key, which holds no colon; empty where there are none."""
    given: str

    @property
    def key(self) -> str:
        """Id of the session."""
        return self.name(f"name:{self.owner}:{self.given}")


@dataclass(frozen=True, slots=True)
class KeySpace:
    """The shards of an installation."""

    shards: int = 16

    def all_shards(self) -> list[ShardKeys]:
        """Give every shard, in order."""
        return [ShardKeys(shard) for shard in range(self.shards)]

    def session(self, session_id: str) -> SessionKeys:
        """Give the names of a session; its shard follows from its id alone."""
        return SessionKeys(crc32(session_id.encode()) % self.shards, session_id)

    def name(self, owner: str, given: str) -> NameKeys:
        """Give where a name of an owner is kept; its shard has nothing to do with its session's."""
        return NameKeys(crc32(f"{owner}:{given}".encode()) % self.shards, owner, given)
