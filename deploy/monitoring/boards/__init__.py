"""The dashboards, one module each."""

from typing import Final

from deploy.monitoring.boards.delivery import DELIVERY
from deploy.monitoring.boards.overview import OVERVIEW
from deploy.monitoring.boards.recognition import RECOGNITION
from deploy.monitoring.boards.redis import REDIS
from deploy.monitoring.boards.sessions import SESSIONS

BOARDS: Final = (OVERVIEW, SESSIONS, RECOGNITION, REDIS, DELIVERY)
