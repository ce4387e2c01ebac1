{{- define "proofhouse.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" (.Release.Name | trunc 34 | trimSuffix "-") .Chart.Name -}}
{{- end -}}
{{- end -}}

{{/* What never changes about a part, by which Services and policies find it. Takes (root, component). */}}
{{- define "proofhouse.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* All labels of a part. Takes (root, component). */}}
{{- define "proofhouse.labels" -}}
{{- $root := index . 0 -}}
{{ include "proofhouse.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The part whose pods serve the API: in evaluation mode the one pod does everything. */}}
{{- define "proofhouse.apiPart" -}}
{{ ternary "evaluation" "api" .Values.evaluation.enabled }}
{{- end -}}

{{- define "proofhouse.workerPart" -}}
{{ ternary "evaluation" "worker" .Values.evaluation.enabled }}
{{- end -}}

{{- define "proofhouse.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
