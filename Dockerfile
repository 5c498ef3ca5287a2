# One image for web, worker, embedder, speech and migrations; docker-compose.yml says which does what.
FROM python:3.11-slim

RUN useradd --create-home --uid 10001 switchboard
WORKDIR /app
ENV PYTHONUNBUFFERED=1 PYTHONPATH=/app/platform:/app DJANGO_SETTINGS_MODULE=switchboard.settings \
    DATA_DIR=/data HOST=0.0.0.0 PORT=8000 LOG_FORMAT=json

COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
COPY . .
RUN mkdir /data && chown switchboard /data
USER switchboard
VOLUME /data
EXPOSE 8000

CMD ["sh", "-c", "exec python -m uvicorn switchboard.asgi:application --host \"$HOST\" --port \"$PORT\" --workers \"${WEB_PROCESSES:-1}\" --loop uvloop --http httptools --ws websockets-sansio --ws-max-size 262144 --lifespan on --no-access-log --log-level warning --timeout-graceful-shutdown 4 --no-proxy-headers"]
