"""deploy/cronjob.yaml: a regular diagnosis from inside the cluster, with exactly the Role that `diagnose` prints."""

from __future__ import annotations

from kubectl_litefs.rbac import ACCOUNT, role

NAMESPACE = "abaci"
IMAGE = "kubectl-litefs:latest"

HEAD = f"""\
# A diagnosis every hour, from inside the cluster: kubectl apply -f deploy/cronjob.yaml
# Change the namespace ({NAMESPACE}) and the image ({IMAGE}; see Dockerfile). A job that fails has found something or could
# not look: its log says what, and `kubectl get jobs` shows it. Exit 1 findings, 3 could not look (README.md).
#
"""

JOB = f"""\
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: kubectl-litefs
  namespace: {NAMESPACE}
spec:
  schedule: "17 * * * *"
  concurrencyPolicy: Forbid
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      backoffLimit: 0
      activeDeadlineSeconds: 120
      ttlSecondsAfterFinished: 86400
      template:
        spec:
          serviceAccountName: {ACCOUNT}
          restartPolicy: Never
          securityContext:
            runAsNonRoot: true
            runAsUser: 65532
            runAsGroup: 65532
            seccompProfile:
              type: RuntimeDefault
          containers:
          - name: diagnose
            image: {IMAGE}
            imagePullPolicy: IfNotPresent
            args: ["diagnose", "-n", "{NAMESPACE}", "--fail-on", "error", "--strict", "--timeout", "60s"]
            securityContext:
              allowPrivilegeEscalation: false
              readOnlyRootFilesystem: true
              capabilities:
                drop: [ALL]
            resources:
              requests: {{cpu: 50m, memory: 64Mi}}
              limits: {{memory: 512Mi}}
            volumeMounts:
            - name: tmp
              mountPath: /tmp
          volumes:
          - name: tmp
            emptyDir: {{sizeLimit: 64Mi}}
"""


def page(image: str = IMAGE) -> str:
    """The whole file; generated, so that the Role never lags behind."""
    return (HEAD + role(NAMESPACE) + JOB).replace(IMAGE, image)
