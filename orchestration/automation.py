"""What starts runs without a person: two schedules and a sensor, all off until somebody switches them on.

Belongs here: when a run starts. What it does is its job's business, and whether two of them meet is the lock's.
"""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from ingestion.landing_zone import LandingError
from orchestration.arrivals import Waiting, arrivals, last_seen
from shops import Settings, SettingsError, ShopFolders

SENSOR = "new_files"
_LOOK_EVERY_SECONDS = 30


def build_schedules(refresh: Any, retrain: Any, settings: Settings) -> list[dg.ScheduleDefinition]:
    """A schedule for each of the two jobs, in the shop's time zone."""
    operations = settings.operations
    return [
        _schedule(
            refresh, "refresh_cron", operations.refresh_cron, settings, "Whatever has arrived since the last run."
        ),
        _schedule(
            retrain, "retrain_cron", operations.retrain_cron, settings, "A chance for challengers, in a quiet hour."
        ),
    ]


def _schedule(job: Any, setting: str, cron: str, settings: Settings, description: str) -> dg.ScheduleDefinition:
    try:
        return dg.ScheduleDefinition(
            name=f"{job.name}_schedule",
            job=job,
            cron_schedule=cron,
            execution_timezone=settings.shop.business_timezone,
            default_status=dg.DefaultScheduleStatus.STOPPED,
            description=description,
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise SettingsError(
            f"operations.{setting}: '{cron}' is no cron schedule. Next: write minute, hour, day, month and day of the "
            'week, e.g. "0 5 * * *" for five in the morning.'
        ) from error


def build_sensor(refresh: Any, folders: ShopFolders, settings: Settings) -> dg.SensorDefinition:
    """The sensor that starts `refresh` once for files that have arrived and are whole."""

    @dg.sensor(
        name=SENSOR,
        job=refresh,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Starts the job `refresh` when files have arrived that no run has landed, and nothing has changed "
        f"among them for {settings.operations.settled_seconds} seconds: files that the shop's mapping.yml names, or "
        "rows of landing/loads where other programs land. The same files start one run.",
    )
    def new_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            key = arrivals(folders, settings)
        except LandingError as error:
            return dg.SkipReason(str(error))
        except FileNotFoundError:
            return dg.SkipReason("a file went away while it was looked at")
        if key is None:
            return dg.SkipReason("no file is there. A database is not watched: switch on refresh_schedule for it")
        if key == last_seen(context.instance):
            return dg.SkipReason("the last run has seen all files that are there")
        now = datetime.now(UTC)
        waiting = Waiting.read(context.cursor)
        if waiting is None or waiting.key != key:
            waiting = Waiting(key, now)
        if not waiting.has_settled(now, settings.operations.settled_seconds):
            return dg.SensorResult(
                skip_reason="files have arrived; waiting until they are whole", cursor=waiting.written()
            )
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=key)], cursor=waiting.written())

    return new_files
