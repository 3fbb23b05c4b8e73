"""Flags, environment and file (issue "the server"): what counts, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from socp.node.settings import Federation, Joining
from socp.server import config, flags, places
from socp.server.faults import StartFault
from socp.wire import limits
from socp.wire.addresses import BootstrapEntry, HostPort

FINGERPRINT = "3f" * 32


def parsed(*arguments: str) -> config.Config:
    asked = flags.parse(arguments)
    assert asked is not None
    return asked


def introducers(*ports: int) -> tuple[BootstrapEntry, ...]:
    return tuple(BootstrapEntry(HostPort("localhost", port)) for port in ports)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for parameter in flags.command.params:
        monkeypatch.delenv(f"SOCP_{str(parameter.name).upper()}", raising=False)


def test_nothing_said_is_a_server_for_this_machine() -> None:
    asked = parsed()
    assert (asked.host, asked.port, asked.federation) == ("localhost", 8001, Federation.KNOWN)
    settings = asked.settings("id", 8001)
    assert settings.address == HostPort("localhost", 8001)
    assert settings.bootstrap == introducers(8002, 8003)
    assert not settings.bootstrap_given
    assert (settings.registration, settings.lists_users) == (Joining.OPEN, False)


def test_who_may_join_is_the_operators_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = parsed("--registration", "invite", "--list-users").settings("id", 8001)
    assert (settings.registration, settings.lists_users) == (Joining.INVITE, True)
    file = tmp_path / "socp.toml"
    file.write_text('registration = "closed"\nlist-users = true\n')
    settings = parsed("--config", str(file)).settings("id", 8001)
    assert (settings.registration, settings.lists_users) == (Joining.CLOSED, True)
    monkeypatch.setenv("SOCP_REGISTRATION", "invite")
    assert parsed().settings("id", 8001).registration is Joining.INVITE


def test_memory_is_a_size_as_people_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parsed().settings("id", 8001).budget.total == limits.MEMORY_BYTES
    assert parsed("--memory", "256M").settings("id", 8001).budget.total == 256 * limits.MIB
    file = tmp_path / "socp.toml"
    file.write_text('memory = "2G"\n')
    assert parsed("--config", str(file)).memory == 2048 * limits.MIB
    monkeypatch.setenv("SOCP_MEMORY", "300m")
    assert parsed().memory == 300 * limits.MIB


@pytest.mark.parametrize(
    ("port", "others"), [(8002, (8001, 8003)), (9000, (8001, 8002, 8003)), (8003, (8001, 8002))]
)
def test_the_introducers_are_the_same_whatever_the_port_less_ourselves(
    port: int, others: tuple[int, ...]
) -> None:
    settings = parsed("--port", str(port)).settings("id", port)
    assert settings.bootstrap == introducers(*others)


def test_bootstrap_is_repeatable_and_ends_the_convenience_of_loopback() -> None:
    url = f"wss://chat.example:443#{FINGERPRINT.upper()}"
    asked = parsed("--bootstrap", url, "--bootstrap", "ws://localhost:8001")
    settings = asked.settings("id", 8001)
    assert settings.bootstrap == (
        BootstrapEntry(HostPort("chat.example", 443), tls=True, fingerprint=FINGERPRINT),
    )
    assert settings.bootstrap_given
    alone = parsed("--bootstrap", "none").settings("id", 8001)
    assert (alone.bootstrap, alone.bootstrap_given) == ((), True)


def test_a_flag_counts_before_the_environment_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "socp.toml"
    file.write_text(
        'port = 9001\nhost = "127.0.0.1"\nfederation = "open"\nephemeral = true\n'
        'max-per-address = 7\nbootstrap = ["ws://a.example:1", "ws://b.example:2"]\n'
        'trusted_proxy = ["10.0.0.0/8"]\n'
    )
    monkeypatch.setenv("SOCP_PORT", "9002")
    monkeypatch.setenv("SOCP_HOST", "::1")
    monkeypatch.setenv("SOCP_ALLOW_HOST", "a.example b.example")
    asked = parsed("--config", str(file), "--port", "9003")
    assert (asked.port, asked.host, asked.federation) == (9003, "::1", Federation.OPEN)
    assert (asked.ephemeral, asked.max_per_address) == (True, 7)
    assert [str(entry.address) for entry in asked.bootstrap] == ["a.example:1", "b.example:2"]
    assert [str(network) for network in asked.trusted_proxy] == ["10.0.0.0/8"]
    assert asked.allow_host == ("a.example", "b.example")
    monkeypatch.setenv("SOCP_CONFIG", str(file))
    assert parsed().federation is Federation.OPEN


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--prot", "1"], "No such option"),
        (["--port", "x"], "--port"),
        (["--port", "70000"], "65535"),
        (["--bootstrap", "localhost:8001"], "write ws://host:port"),
        (["--bootstrap", "ws://localhost:8001#12"], "64 hex digits"),
        (["--advertise", "nowhere"], "write host:port"),
        (["--federation", "all"], "'all' is not one of"),
        (["--registration", "friends"], "'friends' is not one of"),
        (["--tls-cert", "x.pem"], "--tls-cert and --tls-key go together"),
        (["--trusted-proxy", "proxy.example"], "does not appear to be an IPv4 or IPv6 network"),
        (["--max-per-address", "0"], "--max-per-address"),
        (["--config", "absent.toml"], "cannot read absent.toml: No such file"),
        (["surplus"], "surplus"),
        (["--allow-host", "["], '"[" is no host name or address'),
        (["--allow-host", ""], "is no host name or address"),
        (["--allow-host", "chat.example:443"], "write one, without a port"),
        (["--allow-origin", "blah"], '"blah" is no origin of web pages'),
        (["--allow-origin", ""], "such as https://chat.example"),
        (["--allow-origin", "https://a/b"], "is no origin"),
        (["--allow-origin", "https://["], "is no origin"),
        (["--allow-origin", "https://a:0"], "is no origin"),
        (["--data-dir", ""], "it is empty"),
        (["--memory", "lots"], "such as 256M or 2G"),
        (["--memory", "64M"], "needs 160M at least"),
        (["--host", ""], "it is empty"),
        (["--tls-cert", "", "--tls-key", "k"], "it is empty"),
        (["--database", "mysql://u:hunter2@db/socp"], "give it as postgresql://USER:PASSWORD@HOST"),
        (["--database", "postgresql://u:hunter2/7@db/socp"], "this is no address of a database"),
        (["--database", "postgresql://u:77/hunter2@db/socp"], "in a password as %2F"),
        (["--database", "postgresql://u:hunter2@db/so cp"], "no spaces"),
        (["--ephemeral", "--database", "postgresql://u:hunter2@db/socp"], "choose one"),
    ],
)
def test_a_wrong_flag_is_one_line(arguments: list[str], line: str) -> None:
    with pytest.raises(StartFault) as fault:
        flags.parse(arguments)
    assert line in str(fault.value)
    assert "\n" not in str(fault.value)
    assert "hunter2" not in str(fault.value)


@pytest.mark.threat("P5")
def test_the_password_of_a_database_is_in_no_repr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCP_DATABASE", "postgresql://socp:hunter2@[::1]:5433/chat?sslmode=require")
    asked = parsed()
    assert asked.database is not None
    assert "hunter2" in asked.database.dsn
    assert str(asked.database) == "postgresql://socp@[::1]:5433/chat"
    assert "hunter2" not in repr(asked)
    file = tmp_path / "socp.toml"
    file.write_text('database = "postgresql:///chat?host=/run/postgresql"')
    monkeypatch.delenv("SOCP_DATABASE")
    assert str(parsed("--config", str(file)).database) == "postgresql:///chat"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("port = ", "is not TOML"),
        ("port = " + "[" * 5_000, "is not TOML"),
        ("prot = 1", 'unknown key "prot"; did you mean port?'),
        ('bootstrap = "ws://a:1"', '"bootstrap" in'),
        ("port = [1]", '"port" in'),
        ('port = "many"', '"port" in'),
        ("port = true", "a whole number"),
        ("port = 1.5", "a whole number"),
        ("max-per-address = false", "a whole number"),
        ("data-dir = 5", "a text"),
        ('data-dir = "a\\u0000b"', "without null characters"),
        ('data-dir = ""', "it is empty"),
        ("tls-cert = 5", "a text"),
        ("log-level = 5", "a text"),
        ("memory = 256", "a text"),
        ("ephemeral = 1", "true or false"),
        ('ephemeral = "yes"', "true or false"),
        ("allow-host = [[1]]", "a list, each item a text"),
        ("allow-origin = [5]", "a list, each item a text"),
        ('allow-host = ["a\\u0000b"]', "without null characters"),
        ("[host]", '"host" in'),
        ("[allow-host]", "a list"),
        ("[[bootstrap]]", "each item a text"),
        ("host = 2026-01-01", "a text"),
        ("config = 'other.toml'", 'unknown key "config"'),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "socp.toml"
    file.write_text(text)
    with pytest.raises(StartFault) as fault:
        parsed("--config", str(file))
    assert line in str(fault.value)
    assert "\n" not in str(fault.value)


def test_what_others_are_told_to_dial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Lab-7")
    assert parsed("--host", "0.0.0.0").address(8001) == HostPort("lab-7", 8001)
    assert parsed("--host", "10.0.0.7").address(9) == HostPort("10.0.0.7", 9)
    asked = parsed("--host", "0.0.0.0", "--advertise", "Chat.example:443")
    assert asked.address(8001) == HostPort("chat.example", 443)
    assert "chat.example" in asked.guard(8001).hosts


def test_hosts_we_answer_to() -> None:
    guard = parsed("--host", "::", "--allow-host", "Lab.example", "--allow-host", "fe80::1")
    hosts = guard.guard(8001).hosts
    assert {"localhost", "127.0.0.1", "::1", "lab.example", "fe80::1"} <= hosts
    assert "::" not in hosts


@pytest.mark.parametrize("origin", ["https://chat.example/", "HTTP://[::1]:8080", "app://socp"])
def test_pages_we_answer_to(origin: str) -> None:
    assert parsed("--allow-origin", origin).allow_origin == (origin,)


def test_in_a_clone_the_data_folder_and_the_operators_command_are_the_projects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = places.project_folder()
    assert project is not None
    monkeypatch.chdir(project)
    asked = parsed("--port", "8002")
    assert asked.folder(8002) == Path("var/8002")
    hint = asked.settings("id", 8002).admin_hint
    assert hint.endswith("socp admin --data-dir var/8002")
    assert (project / hint.split()[0]).exists() or hint.startswith("socp")


def test_an_installed_server_keeps_its_data_with_the_users(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(places, "project_folder", lambda: None)
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    assert places.default_data_folder(8001) == tmp_path / "socp" / "server-8001"
    assert places.admin_command(tmp_path / "my data").startswith("socp admin --data-dir '")


def test_help_and_version_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    for flag, text in (("--help", "--data-dir"), ("--version", "SOCP v1.3")):
        assert flags.parse([flag]) is None
        assert text in capsys.readouterr().out


def test_every_flag_says_what_it_is_for() -> None:
    assert all(getattr(parameter, "help", "") for parameter in flags.command.params)


def test_the_choices_are_all_there_are() -> None:
    assert list(flags.FEDERATIONS) == [kind.value for kind in Federation]
    assert list(flags.REGISTRATIONS) == [kind.value for kind in Joining]


def test_threads_that_sign_are_one_a_core_unless_said() -> None:
    assert parsed().sign_threads is None
    assert parsed("--sign-threads", "3").sign_threads == 3
    for wrong in ("0", "65", "many"):
        with pytest.raises(StartFault, match="--sign-threads"):
            parsed("--sign-threads", wrong)
