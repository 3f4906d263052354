{{- define "mill.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "mill.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: mill
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Selector of the pods of a component; never changes. Takes (list . "operator"). */}}
{{- define "mill.selector" -}}
app.kubernetes.io/name: mill-{{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- end -}}

{{- define "mill.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ $tag }}
{{- end -}}
{{- end -}}

{{/* The restricted Pod Security Standard, with a read-only file system. */}}
{{- define "mill.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "mill.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Environment variables of both components. */}}
{{- define "mill.workloadEnv" -}}
- name: MILL_RESTRICTED
  value: {{ .Values.workloads.restricted | quote }}
{{- with .Values.workloads.serviceAccount }}
- name: MILL_SERVICE_ACCOUNT
  value: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Environment variables from a map. */}}
{{- define "mill.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Placement of pods: spread over nodes as far as possible. Takes (list . "operator"). */}}
{{- define "mill.placement" -}}
{{- $root := index . 0 -}}
{{- $values := index $root.Values (index . 1) -}}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "mill.selector" . | nindent 6 }}
{{- end -}}

{{- define "mill.tokenSecret" -}}
{{- .Values.gateway.token.existingSecret | default (printf "%s-gateway-token" (include "mill.name" .)) -}}
{{- end -}}

{{- define "mill.hasToken" -}}
{{- if or .Values.gateway.token.create .Values.gateway.token.existingSecret -}}true{{- end -}}
{{- end -}}

{{- define "mill.gatewayScheme" -}}
{{- if .Values.gateway.tls.existingSecret -}}HTTPS{{- else -}}HTTP{{- end -}}
{{- end -}}

{{- define "mill.defaultNamespace" -}}
{{- .Values.gateway.defaultNamespace | default .Values.namespace | default "default" -}}
{{- end -}}
