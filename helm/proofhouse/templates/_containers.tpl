{{- define "proofhouse.apiContainer" -}}
name: api
image: {{ include "proofhouse.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [serve, --host, 0.0.0.0, --port, "8000"]
env:
  {{- include "proofhouse.env" . | nindent 2 }}
ports:
  - name: http
    containerPort: 8000
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  # Longer than it takes to find out that the database or Redis does not answer.
  timeoutSeconds: 10
lifecycle:
  preStop:
    # Until whoever sends requests here has heard that this pod is on its way out.
    sleep: {seconds: 5}
securityContext:
  {{- include "proofhouse.containerSecurity" . | nindent 2 }}
resources:
  {{- toYaml .Values.api.resources | nindent 2 }}
volumeMounts:
  {{- include "proofhouse.mounts" . | nindent 2 }}
{{- end -}}

{{/* A worker takes no requests; what answers at its metrics port is the sweeper that runs beside it. */}}
{{- define "proofhouse.workerContainer" -}}
name: worker
image: {{ include "proofhouse.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [worker]
env:
  {{- include "proofhouse.env" . | nindent 2 }}
ports:
  - name: metrics
    containerPort: 9100
startupProbe:
  httpGet: {path: /metrics, port: metrics}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /metrics, port: metrics}
  periodSeconds: 20
  timeoutSeconds: 10
readinessProbe:
  httpGet: {path: /metrics, port: metrics}
  periodSeconds: 10
  timeoutSeconds: 10
securityContext:
  {{- include "proofhouse.containerSecurity" . | nindent 2 }}
resources:
  {{- toYaml .Values.workers.resources | nindent 2 }}
volumeMounts:
  {{- include "proofhouse.mounts" . | nindent 2 }}
{{- end -}}

{{/* Takes (root, the Secret that holds the database's address). */}}
{{- define "proofhouse.migrateContainer" -}}
{{- $root := index . 0 -}}
name: migrate
image: {{ include "proofhouse.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
args: [db, upgrade]
env:
  {{- include "proofhouse.databaseEnv" . | nindent 2 }}
  {{- with $root.Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
securityContext:
  {{- include "proofhouse.containerSecurity" $root | nindent 2 }}
resources:
  {{- toYaml $root.Values.migration.resources | nindent 2 }}
volumeMounts:
  {{- include "proofhouse.mounts" $root | nindent 2 }}
{{- end -}}
