"""Transcribers: what waits, what it costs, how fast words come."""

from typing import Final

from deploy.monitoring.panels import Board, graph, latency, per_second, quantile

RECOGNITION: Final = Board(
    "steno-recognition",
    "Recognition",
    "What waits for the engines, what they are busy with, how fast words come.",
    (
        graph("Waiting audio", "Seconds of audio held by transcribers and unclaimed by all.", "s",
              ('sum(steno_audio_waiting_seconds{where="held"})', "held"),
              ('max(steno_audio_waiting_seconds{where="unclaimed"})', "unclaimed")),
        graph("Oldest audio", "How late the audio is that waits longest.", "s",
              ("max by (where) (steno_audio_oldest_seconds)", "{{where}}"), alarm=15),
        graph("Sessions", "Sessions of each transcriber, with those it would take at once.",
              "short", ("steno_transcriber_sessions", "{{instance}}"),
              ("sum(steno_transcriber_room)", "room of all")),
        graph("Sessions by engine", "Sessions with each engine, and those that prefer another one.",
              "short",
              ("sum by (engine) (steno_transcriber_sessions * on (instance) group_left (engine)"
               " steno_transcriber_engine_info)", "{{engine}}"),
              ("sum(steno_transcriber_guests)", "prefer another")),
        graph("Handovers", "Sessions that came to another engine, by reason; passed on: theirs"
              " failed for them.", "ops",
              (per_second("steno_transcriber_handovers_total", "reason"), "{{reason}}"),
              (per_second("steno_transcriber_passed_on_total"), "passed on")),
        graph("Engines away", "Transcribers whose engine fails for all sessions, so that they"
              " take hardly any.", "short",
              ("sum by (engine) (steno_transcriber_engine_away * on (instance) group_left (engine)"
               " steno_transcriber_engine_info)", "{{engine}}"), alarm=1),
        graph("Busy", "Share of its time that each engine spends on batches.", "percentunit",
              ("steno:engine_busy:ratio", "{{instance}}"), warn=0.8, alarm=0.95),
        graph("Demand", "Share of each engine that its sessions need; above 1 partials get rarer.",
              "percentunit", ("steno_transcriber_demand", "{{instance}}"), alarm=1),
        graph("Real-time factor", "Engine seconds for a second of audio, by engine.", "none",
              ("steno_transcriber_realtime_factor * on (instance) group_left (engine)"
               " steno_transcriber_engine_info", "{{engine}} {{instance}}")),
        graph("Finals", "From the chunk that ended a segment to the commit of its final; the"
              " promise is 300 ms.", "s", *latency("steno_transcriber_final_seconds")),
        graph("Partials", "From the last chunk that a partial covers until it is on its way.", "s",
              *latency("steno_transcriber_partial_seconds")),
        graph("Receipt to engine", "From the arrival of audio at Redis until the recogniser has"
              " it.", "s", *latency("steno_transcriber_feed_seconds")),
        graph("Batches", "Time of one batch in the engine.", "s",
              *latency("steno_transcriber_batch_seconds")),
        graph("Windows in a batch", "Mean number of windows that share a batch.", "none",
              ("sum(rate(steno_transcriber_batch_windows_sum[$__rate_interval]))"
               " / sum(rate(steno_transcriber_batch_windows_count[$__rate_interval]))", "windows")),
        graph("Wait for a batch", "95 of 100 windows wait no longer than this.", "s",
              (quantile(0.95, "steno_transcriber_window_wait_seconds", "kind"), "{{kind}}")),
        graph("Streams", "Streams that are open to an engine in the cloud.", "short",
              ("steno_transcriber_streams", "{{instance}}")),
        graph("Streams lost", "Streams that were lost or refused, by the error, or not closed in"
              " time.", "ops",
              (per_second("steno_transcriber_stream_losses_total", "code"), "{{code}}"),
              (per_second("steno_transcriber_streams_abandoned_total"), "abandoned")),
        graph("Commits", "Commits by what became of them; fenced ones came too late.", "ops",
              (per_second("steno_transcriber_commits_total", "result"), "{{result}}")),
        graph("Audio committed", "Seconds of audio a second, by what it held.", "none",
              (per_second("steno_transcriber_audio_seconds_total", "kind"), "{{kind}}")),
        graph("Emotion dynamics", "Time to take audio, to measure what is newest, or a segment.",
              "s", *latency("steno_transcriber_emotion_seconds")),
        graph("GPU", "Share of the time in which the GPU of each transcriber is at work.",
              "percentunit", ("steno_transcriber_gpu_busy_ratio", "{{instance}}")),
        graph("GPU memory", "Memory of the GPU of each transcriber, by everybody who uses it.",
              "bytes", ("max by (instance, kind) (steno_transcriber_gpu_memory_bytes)",
               "{{instance}} {{kind}}")),
        graph("Trouble", "Sessions given up, finals too late, failures of sessions and windows.",
              "ops", (per_second("steno_transcriber_given_up_total"), "given up"),
              (per_second("steno_transcriber_late_warnings_total"), "told to be late"),
              (per_second("steno_transcriber_session_failures_total"), "sessions failed"),
              (per_second("steno_transcriber_window_failures_total", "kind"), "{{kind}}"),
              (per_second("steno_transcriber_measuring_errors_total", "kind"),
               "not measured: {{kind}}")),
    ),
)  # fmt: skip
