"""What the user has been told, by its place in the audio."""

from dataclasses import dataclass, field

from steno_client.domain.events import Event, Final, Partial, Status, Translation, Utterance, Warned


@dataclass(slots=True)
class Told:
    """Numbers of events may change when a server loses data; a final keeps its place in the audio,
    an utterance its index, a translation its final."""

    end: float = 0.0
    """Of the last final, in seconds of the audio."""
    utterances: int = 0
    number: int = 0
    """Highest of all events."""
    translated: set[tuple[str, float]] = field(default_factory=set)
    """Languages that finals have been told in, by where these begin."""

    def before(self, event: Event) -> bool:
        """Whether an event was told before; if not it counts as told from now on."""
        match event:
            case Final():
                again = event.start < self.end
                self.end = max(self.end, event.end)
            case Partial():
                return event.start < self.end
            case Utterance():
                again = event.index < self.utterances
                self.utterances = max(self.utterances, event.index + 1)
            case Translation(language=language, start=float(start)):
                again = (language, start) in self.translated
                self.translated.add((language, start))
            case Status() | Warned():
                again = event.event is not None and event.event <= self.number
            case _:
                again = False
        self.number = max(self.number, event.event or 0)
        return again
