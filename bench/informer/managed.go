package main

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// managed is what the API server notes of who set which field: a third of a pod.
var managed = []metav1.ManagedFieldsEntry{
	entry("kube-controller-manager", "", ownedByController()),
	entry("kubelet", "status", ownedByKubelet()),
}

func entry(manager, part, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "v1", Time: &epoch,
		FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{Raw: []byte(fields)}, Subresource: part,
	}
}

func set(words ...string) string {
	parts := make([]string, len(words))
	for number, word := range words {
		parts[number] = fmt.Sprintf("%q:{}", "f:"+word)
	}
	return strings.Join(parts, ",")
}

func ownedByController() string {
	probe := `{".":{},` + set("failureThreshold", "periodSeconds", "successThreshold", "timeoutSeconds") +
		`,"f:httpGet":{".":{},` + set("path", "port", "scheme") + `}}`
	var env []string
	for _, name := range []string{"POD_NAME", "POD_NAMESPACE", "LOG_LEVEL", "OTEL_EXPORTER_OTLP_ENDPOINT"} {
		env = append(env, fmt.Sprintf(`"k:{\"name\":\"%s\"}":{".":{},%s}`, name, set("name", "value", "valueFrom")))
	}
	one := `{".":{},"f:env":{".":{},` + strings.Join(env, ",") + `},` +
		set("image", "imagePullPolicy", "name", "terminationMessagePath", "terminationMessagePolicy") +
		`,"f:livenessProbe":` + probe + `,"f:readinessProbe":` + probe +
		`,"f:resources":{".":{},"f:limits":{".":{},` + set("cpu", "memory") + `},"f:requests":{".":{},` +
		set("cpu", "memory") + `}},"f:volumeMounts":{".":{},"k:{\"mountPath\":\"/etc/app\"}":{".":{},` +
		set("mountPath", "name") + `}}}`
	labels := set(
		"app.kubernetes.io/name", "app.kubernetes.io/version", "app.kubernetes.io/part-of",
		"app.kubernetes.io/managed-by", "helm.sh/chart", "pod-template-hash",
	)
	return `{"f:metadata":{"f:annotations":{".":{},` + set("checksum/config", "prometheus.io/scrape", "prometheus.io/port") +
		`},"f:generateName":{},"f:labels":{".":{},` + labels + `},"f:ownerReferences":{".":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":` +
		one + `},` + set("dnsPolicy", "enableServiceLinks", "restartPolicy", "schedulerName", "securityContext",
		"serviceAccount", "serviceAccountName", "terminationGracePeriodSeconds") + `}}`
}

func ownedByKubelet() string {
	var conditions []string
	for _, kind := range []string{"ContainersReady", "Initialized", "PodReadyToStartContainers", "Ready"} {
		conditions = append(conditions, fmt.Sprintf(`"k:{\"type\":\"%s\"}":{".":{},%s}`, kind,
			set("lastProbeTime", "lastTransitionTime", "status", "type")))
	}
	return `{"f:status":{"f:conditions":{` + strings.Join(conditions, ",") + `},` +
		set("containerStatuses", "hostIP", "hostIPs", "phase", "podIP", "podIPs", "startTime") + `}}`
}
