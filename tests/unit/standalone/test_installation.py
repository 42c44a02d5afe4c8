"""The supervisor against real processes and a real Redis."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from tests.unit.standalone.running import Start, alive, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


def environment_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


def connect(pid: int) -> redis.Redis:
    return redis.Redis.from_url(environment_of(pid)["STENO_REDIS_URL"], decode_responses=True)


def test_a_stop_signal_ends_all_it_started_in_order_with_nothing_left(start: Start) -> None:
    supervisor = start()
    children = supervisor.wait_ready()
    assert sorted(children) == ["aggregator", "gateway", "notifier", "redis", "transcriber"]
    (folder,) = supervisor.folders
    assert folder.stat().st_mode & 0o777 == 0o700

    supervisor.signal(signal.SIGINT)

    assert supervisor.wait() == 0
    assert not any(alive(pid) for pid in children.values())
    assert supervisor.folders == []
    leaving = [line.split()[0] for line in supervisor.stderr.splitlines() if "leaves" in line]
    assert leaving[0] == "gateway"
    assert sorted(leaving[1:]) == ["aggregator", "notifier", "transcriber"]


def test_the_start_says_where_everything_is(start: Start) -> None:
    supervisor = start(STENO_ENGINE="pocketsphinx")
    supervisor.wait_ready()
    lines = dict(line.split(maxsplit=1) for line in supervisor.stdout.splitlines())
    assert "level L1" in lines["Redis"]
    assert lines["Engine"] == "pocketsphinx (STENO_ENGINE)"
    assert lines["Console"] == f"http://127.0.0.1:{supervisor.port}"
    assert lines["Try"].endswith(f"steno transcribe FILE --url {lines['Console']}")


def test_a_killed_service_is_started_again(start: Start) -> None:
    supervisor = start()
    old = supervisor.wait_ready()["transcriber"]
    os.kill(old, signal.SIGKILL)
    supervisor.wait_for_another("transcriber", old)
    assert "transcriber ended (signal 9), starts again in 0.1 s" in supervisor.stdout


def test_a_killed_redis_comes_back_in_place_with_what_it_acknowledged(start: Start) -> None:
    supervisor = start()
    children = supervisor.wait_ready()
    client = connect(children["gateway"])
    for number in range(1, 1001):
        client.xadd("audio", {"data": b"x" * 100}, id=f"{number}-0")
    os.kill(children["redis"], signal.SIGKILL)
    supervisor.wait_for_another("redis", children["redis"])

    again = connect(children["gateway"])
    again.set_retry(Retry(ConstantBackoff(0.02), 200))
    assert again.xlen("audio") == 1000
    assert alive(children["gateway"])
    client.close()
    again.close()


def test_the_password_is_in_no_command_line(start: Start) -> None:
    supervisor = start()
    children = supervisor.wait_ready()
    password = environment_of(children["gateway"])["STENO_REDIS_URL"].split("@")[0][-64:]
    for pid in (supervisor.process.pid, *children.values()):
        assert password not in Path(f"/proc/{pid}/cmdline").read_text()
    assert password not in supervisor.stdout + supervisor.stderr
    (folder,) = supervisor.folders
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert not any(password.encode() in file.read_bytes() for file in files)


def test_the_death_of_the_supervisor_ends_every_child(start: Start) -> None:
    supervisor = start()
    children = supervisor.wait_ready()
    supervisor.signal(signal.SIGKILL)
    supervisor.wait()
    wait_until(lambda: not any(alive(pid) for pid in children.values()))

    (left,) = supervisor.folders
    start().wait_ready()
    assert not left.exists()


def test_a_second_signal_does_not_wait_for_a_service_that_does_not_stop(
    start: Start, services: Path
) -> None:
    stubborn = services / "steno_gateway" / "__main__.py"
    stubborn.write_text(stubborn.read_text().replace("os._exit(0)", "pass"))
    supervisor = start()
    children = supervisor.wait_ready()
    supervisor.signal(signal.SIGINT)
    wait_until(lambda: "gateway leaves" in supervisor.stderr)
    assert supervisor.process.poll() is None

    supervisor.signal(signal.SIGINT)

    assert supervisor.process.wait(timeout=60) == 128 + signal.SIGINT
    assert not any(alive(pid) for pid in children.values())
    assert supervisor.folders == []


def test_a_signal_during_the_start_leaves_nothing(start: Start, services: Path) -> None:
    slow = services / "steno_notifier" / "__main__.py"
    slow.write_text("import time\nprint('slow', flush=True)\ntime.sleep(60)\n")
    supervisor = start()
    wait_until(lambda: "slow" in supervisor.stderr)
    supervisor.signal(signal.SIGTERM)
    assert supervisor.wait() == 0
    assert "Ready" not in supervisor.stdout
    assert supervisor.folders == []


def test_a_taken_port_is_one_line_with_the_way_out(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        supervisor = start(port)
        assert supervisor.wait() == 1
    assert supervisor.stderr == (
        f"steno: port {port} (gateway) cannot be used: Address already in use. Stop the program "
        f"that has it, or choose other ports: STENO_PORT={port + 100} make run\n"
    )
    assert supervisor.stdout == ""


def test_a_service_that_keeps_ending_fails_the_start_with_its_last_lines(
    start: Start, services: Path
) -> None:
    (services / "steno_aggregator" / "__main__.py").write_text("raise SystemExit('no such shard')")
    supervisor = start()
    assert supervisor.wait() == 1
    assert "steno: aggregator keeps ending. Its last lines:\n  no such shard\n" in supervisor.stderr
    assert supervisor.folders == []


def test_a_given_redis_is_used_and_left_alone(start: Start, tmp_path: Path) -> None:
    first = start()
    children = first.wait_ready()
    url = environment_of(children["gateway"])["STENO_REDIS_URL"]
    second = start(STENO_REDIS_URL=url)
    assert "redis" not in second.wait_ready()
    second.signal(signal.SIGTERM)
    assert second.wait() == 0
    assert alive(children["redis"])


def test_a_given_redis_that_does_not_answer_fails_the_start(start: Start) -> None:
    supervisor = start(STENO_REDIS_URL="redis://:secret@127.0.0.1:1/0")
    assert supervisor.wait() == 1
    assert "steno: Redis does not answer" in supervisor.stderr
    assert "secret" not in supervisor.stdout + supervisor.stderr


def test_an_orphan_that_holds_the_output_open_does_not_hide_the_end(
    start: Start, services: Path
) -> None:
    main = services / "steno_notifier" / "__main__.py"
    orphan = "import subprocess\nsubprocess.Popen(['sleep', '5'], start_new_session=True)\n"
    main.write_text(orphan + main.read_text())
    supervisor = start()
    old = supervisor.wait_ready()["notifier"]
    os.kill(old, signal.SIGKILL)
    supervisor.wait_for_another("notifier", old)
