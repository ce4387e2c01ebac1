{{/* A secret setting as an environment variable. Takes (root, variable, values, key in the chart's own Secret, that Secret). */}}
{{- define "proofhouse.secretEnv" -}}
{{- $given := index . 2 -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      {{- if $given.existingSecret }}
      name: {{ $given.existingSecret }}
      key: {{ $given.existingSecretKey }}
      {{- else }}
      name: {{ index . 4 }}
      key: {{ index . 3 }}
      {{- end }}
{{- end -}}

{{/* Where the database is. Takes (root, the chart's Secret). */}}
{{- define "proofhouse.databaseEnv" -}}
{{- $root := index . 0 -}}
{{- if $root.Values.evaluation.enabled -}}
- name: PROOFHOUSE_DATABASE_URL
  value: sqlite:////data/proofhouse.db
{{- else -}}
{{ include "proofhouse.secretEnv" (list $root "PROOFHOUSE_DATABASE_URL" $root.Values.database "database-url" (index . 1)) }}
{{- end }}
{{- end -}}

{{/* The settings of API and workers, the same for both. */}}
{{- define "proofhouse.env" -}}
{{- $secret := include "proofhouse.fullname" . -}}
{{ include "proofhouse.databaseEnv" (list . $secret) }}
{{- if .Values.evaluation.enabled }}
- name: PROOFHOUSE_REDIS_URL
  value: redis://127.0.0.1:6379/0
{{- else }}
{{ include "proofhouse.secretEnv" (list . "PROOFHOUSE_REDIS_URL" .Values.redis "redis-url" $secret) }}
{{- end }}
{{ include "proofhouse.secretEnv" (list . "PROOFHOUSE_SECRET_KEY" .Values.secretKey "secret-key" $secret) }}
- name: PROOFHOUSE_QUEUE
  value: {{ .Values.queue | quote }}
- name: PROOFHOUSE_METRICS_PUBLIC
  value: {{ .Values.metricsPublic | quote }}
- name: PROOFHOUSE_ALLOWED_NETWORKS
  value: {{ join "," .Values.allowedNetworks | quote }}
- name: PROOFHOUSE_SEARCH_URL
  value: {{ .Values.searchUrl | quote }}
- name: PROOFHOUSE_WORKER_METRICS_PORT
  value: "9100"
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "proofhouse.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What every pod has in common. */}}
{{- define "proofhouse.podCommon" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* One part's pods on different machines and in different zones, as far as there are any. Takes (root, component). */}}
{{- define "proofhouse.spread" -}}
topologySpreadConstraints:
  {{- $selector := include "proofhouse.selector" . }}
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- $selector | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end -}}

{{/* A change of the chart's own Secret starts new pods; one of an existing Secret can't be seen from here. */}}
{{- define "proofhouse.podAnnotations" -}}
checksum/secret: {{ list .Values.secretKey.value .Values.database.url .Values.redis.url | toJson | sha256sum }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Takes the size: what goes beyond it has the pod evicted. */}}
{{- define "proofhouse.tmpVolume" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ . }}
{{- end -}}

{{- define "proofhouse.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.evaluation.enabled }}
- name: data
  mountPath: /data
{{- end }}
{{- end -}}

{{/* Where a URL names a port, that; else nothing. Takes the URL. */}}
{{- define "proofhouse.portOf" -}}
{{- $host := regexReplaceAll "^[^/]*//([^/?]*@)?" . "" | regexFind "^[^/?]*" -}}
{{- regexFind ":[0-9]+$" $host | trimPrefix ":" -}}
{{- end -}}
