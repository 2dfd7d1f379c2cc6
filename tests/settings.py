"""The product's settings, on data that is thrown away."""

import os
import tempfile

os.environ.setdefault("KINETOSCOPE_DATA", tempfile.mkdtemp(prefix="kinetoscope-test-"))

from webapp.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
