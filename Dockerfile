# The tool in a container: for a CronJob, or a pipeline without Python.
#   docker build -t kubectl-litefs . && docker run --rm kubectl-litefs demo healthy
# Runs as nobody, with a root file system that may be read-only; it writes nothing but backups, where --backup-dir says.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE requirements-dev.lock ./
COPY kubectl_litefs ./kubectl_litefs
COPY docs/kubectl-litefs.1 ./docs/
# The versions that the tests ran with, and nothing of the tests.
RUN python -m venv --without-pip /opt/litefs \
 && python -m pip --python /opt/litefs/bin/python install --no-cache-dir --no-compile --quiet --constraint requirements-dev.lock . \
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/litefs/lib

FROM python:3.13-slim
COPY --from=build /opt/litefs /opt/litefs
COPY LICENSE /LICENSE
ENV PATH=/opt/litefs/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["kubectl-litefs"]
CMD ["--help"]
