"""Keys, drill and anchor by command."""

from __future__ import annotations

from pathlib import Path
from secrets import token_urlsafe

from storage.areas.people import People
from storage.backups.history import PROVEN
from storage.core.audit import Audit
from storage.core.schedule import Schedules
from storage.database import Database
from tests.cli.running import Ran, mpops, settings
from tests.databases import migrated_url
from tests.rows import NOW, SECRET, person


def filled(url: str) -> str:
    """Somebody with a name, and two audit entries; the anchor."""
    database = Database(url)
    database.unlock([SECRET])
    with database.write() as session:
        person(session, "ou_a", "A")
        audit = Audit(session, database.vault.subkey("audit"))
        for number in range(2):
            audit.add(at=NOW, actor_id=None, event="chat.lost", subject="chat:1", params={"n": number})
        anchor = audit.anchor()
    database.close()
    return anchor


def test_keys_are_listed_rotated_resealed_and_wrapped_anew(database_kind: str, tmp_path: Path) -> None:
    url = migrated_url(database_kind, tmp_path)
    filled(url)

    def run(*arguments: str, **more: str) -> Ran:
        return mpops(*arguments, env=settings(url, **more))

    first = run("keys", "list").out.splitlines()
    assert first[0].startswith("k1  made with the database  seals 4 values  in use")
    assert "k2" in run("keys", "rotate").out
    done = run("keys", "reseal")
    assert "4 values were sealed anew" in done.out
    assert "k1 is kept" in done.out, "running processes need not know the new key yet"
    new = token_urlsafe(32)
    last = run("keys", "list", MPOPS_SECRET_KEY=new, MPOPS_PREVIOUS_SECRET_KEYS=f'["{SECRET}"]').out.splitlines()
    assert "seals 0 values" in last[0]
    assert "seals 4 values  in use" in last[1]
    assert last[-1] != first[-1], "another fingerprint"
    afterwards = Database(url)
    afterwards.unlock([new])
    with afterwards.read() as session:
        assert [row.name for row in People(session).all()] == ["A"]
    afterwards.close()


def test_a_backup_is_proven_and_the_end_of_the_audit_is_anchored(tmp_path: Path) -> None:
    url = migrated_url("sqlite", tmp_path)
    anchor = filled(url)
    file = tmp_path / "monday.backup"
    assert mpops("backup", file, env=settings(url)).code == 0
    proof = mpops("drill", file, env=settings(url))
    assert proof.code == 0, proof.said
    assert "is good" in proof.out
    assert "2 audit entries are whole" in proof.out
    wrong = mpops("drill", file, env=settings(url, MPOPS_SECRET_KEY="another secret key entirely"))
    assert wrong.code == 1
    assert "Traceback" not in wrong.said
    assert mpops("audit", "verify", "--anchor", anchor, env=settings(url)).code == 0
    gone = mpops("audit", "verify", "--anchor", f"3:{anchor[2:]}", env=settings(url))
    assert gone.code == 1
    assert "cut off" in gone.err
    assert "looks like" in mpops("audit", "verify", "--anchor", "nonsense", env=settings(url)).err
    database = Database(url)
    database.unlock([SECRET])
    with database.read() as session:
        assert Schedules(session).last_run(PROVEN) is not None
    database.close()
