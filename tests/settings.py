"""The product's settings, on data that is thrown away. Workers that tests start see the same database and broker."""

import os

from tests.places import own_folder, own_port

os.environ["KINETOSCOPE_DATA"] = own_folder()
os.environ.setdefault("KINETOSCOPE_LEASE_SECONDS", "4")
os.environ["REDIS_URL"] = f"redis://:test@127.0.0.1:{own_port()}/0"  # nobody's until `tests.processes` starts one

from webapp.settings import *  # noqa: F403
from webapp.settings import DATA_DIR, DATABASES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
