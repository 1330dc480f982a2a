"""The composition root: builds the house from a configuration, runs it, takes it down in order.

Who follows the stream, who may submit to it, who owns the lines and in what order things stop is said here and
nowhere else. The journal comes up first and goes down last, so that whatever the others still have to say on
their way out is kept.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from drivers.api import Presented
from gateway import __version__, alarms, assetry, beside, configuration, last_resorts, refuge, site, states
from gateway.alarms import Past
from gateway.configuration import Checked
from gateway.core import health, kinds, payload
from gateway.core.assets.plans import Assembled
from gateway.core.config import Config
from gateway.core.events import Event, LinkBody, NoteBody
from gateway.core.residents import Privacy
from gateway.core.snapshot import Snapshot
from gateway.core.standing import Standing
from gateway.core.thinning import Thinner
from gateway.fire_centre_needs import Around as NearCentres
from gateway.fire_centres import FireCentres
from gateway.gatehouse import Around, Gatehouse
from gateway.identity import identity
from gateway.machine import Machine
from gateway.operations import Operations
from gateway.retained import keepers
from gateway.runtime.clock import RELEASED, SystemClock
from gateway.runtime.journal import Journal, JournalSettings, Needed
from gateway.runtime.journal.epochs import first_epoch
from gateway.runtime.journal.statements import Probe, no_probe
from gateway.runtime.stream import Stream
from gateway.runtime.supervisor import Supervisor
from gateway.runtime.systemd import Notifier
from gateway.services.alerting import Alerting
from gateway.services.assets import Assets
from gateway.services.clearing import Latches
from gateway.services.control import Control
from gateway.services.field import Field
from gateway.services.upkeep import Upkeep
from gateway.services.uplink import Uplink
from gateway.services.watching import Watching
from gateway.vision.presence import looks
from gateway.vision.service import Vision
from gateway.vision.store import EvidenceStore
from gateway.vision.views import Views

log = logging.getLogger(__name__)

STORAGE_UP = {"journal.full": False, "journal.failing": False, "journal.recovered": True}


async def serve(
    checked: Checked,
    *,
    stop: asyncio.Event,
    ready: Callable[[], None] = lambda: None,
    on_event: Callable[[Event], None] | None = None,
    reload: Callable[[], None] | None = None,
    opened: Callable[[Journal], None] = lambda _journal: None,
    probe: Probe = no_probe,
) -> None:
    """Run one house until `stop` is set. `on_event` follows the stream; `probe` is for tests that crash it.

    `reload` has the configuration read again; without it nobody can order that from afar. `opened` is given the
    journal: whoever ends the house may want to know whether it can be written.
    """
    assert checked.config is not None
    table = checked.config.gateway
    settings = JournalSettings(
        retention_days=table.retention_days, max_bytes=int(table.journal_max_mb * 1024 * 1024),
        first_epoch=first_epoch(time.time(), earliest=RELEASED),
    )  # fmt: skip

    async def open_at(folder: Path) -> Journal:
        return await Journal.open(folder / "journal.db", settings=settings, probe=probe)

    checked, journal = await refuge.opened(checked, open_at)
    opened(journal)
    assert checked.config is not None
    control_path = configuration.control_socket(checked.config.gateway)
    try:
        past = Past(await journal.standing(), await journal.newest())
        house = House(checked.config, checked, journal, past, reload=reload, probe=probe)
        if on_event is not None:
            house.stream.follow("on_event", on_event)
        control = house.control(control_path)
    except BaseException:
        await journal.close()
        raise
    with closing(control):  # one told to stop while it came up never served at it
        await house.live(stop, ready)


class House:
    """Every part of one running gateway, and who is wired to whom."""

    def __init__(
        self,
        config: Config,
        checked: Checked,
        journal: Journal,
        past: Past,
        *,
        reload: Callable[[], None] | None,
        probe: Probe,
    ) -> None:
        restored, clock = past.events, SystemClock()
        self._clock, self._config, self._journal = clock, config, journal
        self._trouble = checked.trouble  # of the disk we should live on
        self._began, self._notifier = time.monotonic(), Notifier()
        self._supervisor = Supervisor(self._notifier)
        self._identity = identity(config, journal.epoch)
        self.stream = Stream(
            epoch=journal.epoch, last_seq=journal.last_seq, last_alert_seq=journal.last_alert_seq, now=clock
        )
        submit = self.stream.submit
        self._field = Field(site.lines_of(config, checked.profiles), submit=submit, presented=self._present)
        self._kinds = kinds.built_in()
        self._made = made = assetry.assets_of(config, checked.profiles)
        self._watched = assetry.watched_with(
            made, site.watched_of(config, checked.profiles, self._kinds, made), config, self._kinds
        )
        self._snapshot = Snapshot(tuple(self._watched))
        self._standing = Standing(restored)
        self._assets = self._make_assets(made, past)
        self._alerting, self._latches = self._make_alarms(checked, past)
        self._gatehouse = self._make_gatehouse(checked, restored, reload, probe)
        self._vision = self._make_vision()
        left = self._alerting.alerts()
        self._machine = Machine(
            config, kinds=self._kinds, alerts=left, submit=submit, now=clock, document=self.status
        )
        self._watching = Watching(self.status, self._alerting.alerts)
        lines = self._field.statistics
        self._upkeep = Upkeep(
            config.bus, self._watched, self._kinds, lines=lines, submit=submit, restore=restored
        )
        self._beside = beside.Beside(config.desk)
        privacy = site.privacy_of(config, checked.profiles, self._kinds, made)
        self._uplink = self._make_uplink(probe, privacy)
        self._last_resort = last_resorts.make(config, self._uplink, submit, restored)
        self._centres = self._make_centres(checked, restored, probe)
        thinner = Thinner(site.deadbands_of(config, checked.profiles) | assetry.deadbands_of(made))
        self._follow(thinner, privacy)
        journal.protect, journal.report = self._standing.positions, self._report
        journal.needed = lambda: Needed(self._standing.positions(), self._standing.answered())

    def control(self, path: Path) -> Control:
        """Take the control socket; ControlError when another gateway has it."""
        operations = Operations(
            status=self.status, alerts=self._alerting, orders=self._gatehouse.commanding,
            export=self._journal.export, watch=self._watching.stream, kept=self._journal.kept,
            assets=self._assets.statistics, wall=time.time,
        )  # fmt: skip
        access = self._gatehouse.access
        more = {**self._upkeep.operations, **(access.operations if access else {})}
        control = Control(path, {**operations.by_name, **more})
        control.open()
        self._supervisor.add("control", control.run)
        return control

    async def live(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Run everything until `stop` is set; the journal ends last."""
        for name, driver in self._field.drivers.items():
            self._supervisor.add(f"bus:{name}", driver.run, pulse=self._field.pulses[name])
        self._supervisor.add("alerting", self._alerting.run)
        self._supervisor.add("assets", self._assets.run)
        self._supervisor.add("latches", self._latches.run)
        if self._uplink is not None:
            self._supervisor.add("uplink", self._uplink.run)
        retained = keepers(self._config, self._watched, self._snapshot, self._uplink)
        around = (self._last_resort, self._centres, *retained, self._beside, self._upkeep)
        wings = (self._gatehouse, self._vision, self._machine, *around)
        for name, run in (each for wing in wings for each in wing.services.items()):
            self._supervisor.add(name, run)
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(self._journal.run(), name="journal")
            services = group.create_task(self._supervisor.run(), name="supervisor")
            self._begin(ready)
            await stop.wait()
            services.cancel()
            await asyncio.wait([services])
            self.stream.submit(NoteBody("gateway.stopped", f"version {__version__}"))
            writer.cancel()

    def status(self) -> dict[str, Any]:
        """Return the health document."""
        stamp = self._clock()
        return health.document(
            self._identity,
            clock=stamp.clock,
            uptime_s=stamp.monotonic - self._began,
            faults=self.stream.faults,
            buses=self._field.statistics(),
            cameras=self._vision.statistics(),
            evidence=self._vision.evidence_statistics(),
            doors=self._gatehouse.doors.statistics(),
            interlocks=self._gatehouse.interlocks.statistics(),
            access=None if self._gatehouse.access is None else self._gatehouse.access.statistics(),
            orders=None if self._gatehouse.remote is None else self._gatehouse.remote.statistics(),
            board=self._machine.statistics(),
            last_resort=self._last_resort.statistics(),
            fire_centres=self._centres.statistics(),
            uplink=None if self._uplink is None else self._uplink.statistics(),
            journal=self._journal.statistics(),
            alerts=self._alerting.alerts(),
            services=self._supervisor.states,
            now=stamp.monotonic,
            wall=stamp.wall,
        )

    def _present(self, presented: Presented) -> None:
        self._gatehouse.presented(presented)

    def _begin(self, ready: Callable[[], None]) -> None:
        self.stream.submit(NoteBody("gateway.started", f"version {__version__}"))
        self._gatehouse.begin()
        self._centres.begin(self._alerting.alerts(), self.stream.submit)
        # ends what an earlier life may have raised, or begins what this one has to say
        self._storage(up=not self._trouble, reason=self._trouble or "the journal is open")
        if (salvage := self._journal.salvage) is not None:
            told = f"{salvage.reason}; {salvage.rows} rows were saved, the old file is {salvage.path}"
            self.stream.submit(NoteBody("journal.corrupt", told))
        lines = len(self._field.drivers)
        self._notifier.send("READY=1", f"STATUS=polling {len(self._field.devices)} devices on {lines} lines")
        log.info("%s: %d devices on %d lines", self._identity.id, len(self._field.devices), lines)
        ready()

    def _follow(self, thinner: Thinner, privacy: Privacy) -> None:
        self.stream.follow("snapshot", self._snapshot.follow)
        self.stream.follow("assets", self._assets.follow, readings=self._assets.points)
        self.stream.follow("standing", self._standing.follow, readings=False)
        self.stream.follow("alerting", self._alerting.follow)
        self.stream.follow("latches", self._latches.follow, readings=self._latches.points)
        self.stream.follow("interlocks", self._gatehouse.interlocks.follow, readings=False)
        self.stream.follow("doors", self._gatehouse.doors.follow, readings=self._gatehouse.doors.points)
        barriers = self._gatehouse.barriers
        self.stream.follow("barriers", barriers.follow, readings=barriers.points)
        self.stream.follow("remote", self._gatehouse.answer, readings=False)
        self.stream.follow("last resort", self._last_resort.follow, readings=False)
        self.stream.follow("upkeep", self._upkeep.follow, readings=self._upkeep.points)
        self._field.identified = self._upkeep.identified
        self.stream.follow("fire centres", self._centres.follow, readings=False)

        def keep(event: Event) -> None:
            if not thinner.keeps(event):
                return
            if (told := privacy.unwritten(event.body)) is None:
                self._journal.append(event)
                self._watching.follow(event)
            elif told and self._uplink is not None:
                self._uplink.device_changed(told)

        self.stream.follow("journal and watching", keep)

    def _make_assets(self, made: Assembled, past: Past) -> Assets:
        return assetry.service_of(
            made, self._watched, submit=self.stream.submit, read_soon=self._field.read_soon,
            now=self._clock, past=past, offset_h=self._config.gateway.utc_offset_h,
        )  # fmt: skip

    def _make_alarms(self, checked: Checked, past: Past) -> tuple[Alerting, Latches]:
        return alarms.make(
            self._config, checked.profiles, self._watched, self._kinds, self._field,
            stream=self.stream, read_soon=self._assets.read_soon, journal=self._journal, past=past,
        )  # fmt: skip

    def _make_gatehouse(
        self, checked: Checked, restored: Sequence[Event], reload: Callable[[], None] | None, probe: Probe
    ) -> Gatehouse:
        around = Around(
            submit=self.stream.submit,
            now=self._clock,
            restored=restored,
            angles=self._angles,
            alerts=self._alerting,
            assets=self._assets,
            gates=assetry.barriers_of(self._made, self._config, checked.profiles),
            record=self._journal,
            publish=self._publish,
            reload=reload,
            probe=probe,
        )
        places = {name: watched.place for name, watched in self._watched.items()}
        return Gatehouse(self._config, checked.profiles, self._field, places, around)

    def _make_vision(self) -> Vision:
        quota = int(self._config.vision.evidence_max_mb * 1024 * 1024)
        return Vision(
            site.cameras_of(self._config),
            EvidenceStore(site.evidence_dir(self._config), quota_bytes=quota),
            Views(Path(self._config.gateway.state_dir)),
            submit=self.stream.submit,
            begin=site.nursery_of(configuration.vision_socket()),
            open_evidence=lambda: {sha for alert in self._alerting.alerts() for sha in alert.evidence},
            looks=lambda: looks(self._alerting.alerts()),
        )

    def _make_uplink(self, probe: Probe, privacy: Privacy) -> Uplink | None:
        if self._config.mqtt is None:
            return None
        down = f"{self._kinds.by_link['uplink'].name}/{self._config.gateway.id}"
        return Uplink(
            self._config.mqtt,
            self._config.gateway.id,
            journal=self._journal,
            states=self._state,
            health=lambda: payload.health(self.status()),
            evidence=self._vision.store if self._config.camera else None,
            submit=self.stream.submit,
            remote=self._gatehouse.remote,
            resident=privacy.whose,
            was_down=down in {alert.key for alert in self._alerting.alerts()},
            probe=probe,
            **self._beside.way,
        )

    def _make_centres(self, checked: Checked, restored: Sequence[Event], probe: Probe) -> FireCentres:
        known = self._clock, self._snapshot, self._watched, restored, self._alerting.alerts(), probe
        around = NearCentres(self._journal, self.stream.submit, *known)
        return FireCentres(self._config, checked.profiles, self._kinds, around)

    def _publish(self, topic: str, content: bytes, **how: Any) -> bool:
        return self._uplink is not None and self._uplink.publish(topic, content, **how)

    def _report(self, note: NoteBody) -> None:
        """Tell what the journal reports of itself, and whether the storage takes what it is given."""
        self.stream.submit(note)
        if note.what in STORAGE_UP and not self._trouble:
            self._storage(up=STORAGE_UP[note.what], reason=note.detail)

    def _storage(self, *, up: bool, reason: str) -> None:
        self.stream.submit(LinkBody("storage", self._identity.id, up=up, reason=reason))

    def _state(self, device: str) -> bytes | None:
        """Return the retained payload of one device or door; None when it is not ours any more."""
        if device in self._gatehouse.doors:
            return self._gatehouse.state(device)
        return states.state(self._snapshot, self._watched, device)

    def _angles(self, device: str) -> dict[str, float]:
        return states.angles(self._snapshot, self._watched, device)
