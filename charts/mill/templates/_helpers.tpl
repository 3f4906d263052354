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
{{- with .Values.podSecurity.user }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
fsGroup: {{ int64 . }}
{{- end }}
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
{{- with .Values.workloads.pullSecret }}
- name: MILL_PULL_SECRET
  value: {{ . | quote }}
{{- end }}
{{- with .Values.workloads.tolerations }}
- name: MILL_TOLERATIONS
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.workloads.podLabels }}
- name: MILL_POD_LABELS
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.workloads.podAnnotations }}
- name: MILL_POD_ANNOTATIONS
  value: {{ join "," . | quote }}
{{- end }}
{{- if .Values.workloads.stopSignals }}
- name: MILL_STOP_SIGNALS
  value: "true"
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

{{/* --reuse-values keeps the defaults of the release before, too: values that are new since would be missing. */}}
{{- define "mill.checkValues" -}}
{{- $release := regexFind "^[0-9]+\\.[0-9]+" .Chart.Version -}}
{{- if ne (toString .Values.defaultsOf) $release -}}
{{- fail (printf "these values contain the defaults of another release than %s, which --reuse-values keeps: upgrade with --reset-then-reuse-values, which keeps only what you have set yourself" $release) -}}
{{- end -}}
{{- end -}}

{{- define "mill.ownTokenSecret" -}}
{{- include "mill.name" . }}-gateway-token
{{- end -}}

{{/* Whether the gateway that runs uses the admin token that an earlier release created. Empty without a cluster. */}}
{{- define "mill.keepsToken" -}}
{{- if and (eq (toString .Values.gateway.token.create) "auto") .Values.gateway.kubernetesTokens (not .Values.gateway.token.existingSecret) -}}
{{- $secret := include "mill.ownTokenSecret" . -}}
{{- $used := false -}}
{{- range dig "spec" "template" "spec" "volumes" list (lookup "apps/v1" "Deployment" .Release.Namespace (printf "%s-gateway" (include "mill.name" .))) -}}
{{- if eq (dig "secret" "secretName" "" .) $secret -}}{{- $used = true -}}{{- end -}}
{{- end -}}
{{- if and $used (lookup "v1" "Secret" .Release.Namespace $secret) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* The Secret with the gateway's admin tokens; empty if it has none. */}}
{{- define "mill.tokenSecret" -}}
{{- $create := toString .Values.gateway.token.create -}}
{{- if .Values.gateway.token.existingSecret -}}
{{- .Values.gateway.token.existingSecret -}}
{{- else if or (eq $create "true") (and (eq $create "auto") (not .Values.gateway.kubernetesTokens)) (include "mill.keepsToken" .) -}}
{{- include "mill.ownTokenSecret" . -}}
{{- end -}}
{{- end -}}

{{/* The Secret with the gateway's certificate; empty if it speaks plain HTTP. */}}
{{- define "mill.tlsSecret" -}}
{{- if .Values.gateway.tls.existingSecret -}}
{{- .Values.gateway.tls.existingSecret -}}
{{- else if or .Values.gateway.tls.create .Values.gateway.tls.issuer -}}
{{- include "mill.name" . }}-gateway-tls
{{- end -}}
{{- end -}}

{{/* Names under which the gateway is reached: a JSON object, since a template returns text. */}}
{{- define "mill.gatewayHosts" -}}
{{- $service := printf "%s-gateway" (include "mill.name" .) -}}
{{- $hosts := list (printf "%s.%s.svc" $service .Release.Namespace) (printf "%s.%s" $service .Release.Namespace) $service (printf "%s.%s.svc.cluster.local" $service .Release.Namespace) -}}
{{- dict "hosts" (concat $hosts (compact (list .Values.gateway.ingress.host))) | toJson -}}
{{- end -}}

{{/* The namespace in which `helm test` deploys. One that it creates has a hash, so that it is no other user's: it is deleted. */}}
{{- define "mill.testNamespace" -}}
{{- $hash := printf "%s/%s" .Release.Namespace (include "mill.name" .) | sha256sum | trunc 8 -}}
{{- .Values.tests.namespace | default .Values.namespace | default (printf "%s-test-%s" (include "mill.name" .) $hash) -}}
{{- end -}}

{{- define "mill.gatewayScheme" -}}
{{- if include "mill.tlsSecret" . -}}HTTPS{{- else -}}HTTP{{- end -}}
{{- end -}}

{{- define "mill.defaultNamespace" -}}
{{- .Values.gateway.defaultNamespace | default .Values.namespace | default "default" -}}
{{- end -}}
